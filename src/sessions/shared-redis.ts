import type { Config } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Route } from '../lib/outbound.ts'
import { connectRedis, type RedisClient, readyWithin } from '../lib/redis.ts'
import { createRedisLink, type RedisLink } from '../lib/redis-link.ts'
import { createSeal, type Seal } from './seal.ts'

/** How long a start waits for Redis, milliseconds. */
const START_MS = 500

/** The replicas' Redis, if there is one. */
export type SharedRedis = Readonly<{
  /** Absent without a configured Redis. */
  shared?: Readonly<{ redis: RedisClient; link: RedisLink; seal: Seal }>
  /** Waits until it answers, for a while: one that is down keeps no service from starting. */
  ready: () => Promise<void>
  close: () => void
}>

type Dependencies = Omit<Parameters<typeof createRedisLink>[0], 'redis' | 'metrics'> &
  Readonly<{
    clock: Clock
    random: () => number
    route: Route
    /** Called once if there is a Redis. */
    metrics: () => Parameters<typeof createRedisLink>[0]['metrics']
    /** Used in place of a connection to the configured one. */
    redis?: RedisClient | undefined
  }>

export async function connectShared(
  config: Config['redis'],
  { random, route, metrics, redis: given, ...dependencies }: Dependencies,
): Promise<SharedRedis> {
  const redis = given ?? (config && (await connectRedis(config.address, random, route)))
  if (!redis) return { ready: async () => {}, close: () => {} }
  const link = config && createRedisLink({ ...dependencies, redis, metrics: metrics() })
  return {
    ...(config && link && { shared: { redis, link, seal: createSeal(config.encryptionKeys) } }),
    ready: () => readyWithin(redis, START_MS, dependencies.clock),
    close() {
      link?.close()
      redis.disconnect()
    },
  }
}
