import type { FastifyBaseLogger } from 'fastify'
import type { Registry } from 'prom-client'
import type { Clock } from '../lib/clock.ts'
import type { RedisClient } from '../lib/redis.ts'
import { createRedisLink } from '../lib/redis-link.ts'
import { createWaits } from '../lib/waits.ts'
import { countImplausible } from '../observe/redis-implausible.ts'
import type { CredentialSource } from '../sts/credentials.ts'
import { createCacheMetrics } from './cache-metrics.ts'
import { type CredentialCache, createCredentialCache } from './credential-cache.ts'
import { createLocalRate } from './rate.ts'
import type { Seal } from './seal.ts'
import { createSessionStore } from './session-store.ts'
import { createSharedCache } from './shared-cache.ts'
import { createSharedRate } from './shared-rate.ts'
import { createUpstream } from './upstream.ts'

/** The numbers that operators choose. */
export type StackOptions = Readonly<{
  maxEntries: number
  maxBytes: number
  minValiditySeconds: number
  /** Most that a vend takes. */
  deadlineMs: number
  /** Calls to STS a second, and at a time, and the most that one takes. */
  maxRps: number
  connections: number
  timeoutMs: number
  /** New sessions that one caller may cause; 0 for no limit. */
  newSessionsPerMinute: number
}>

type Dependencies = Readonly<{
  source: CredentialSource
  clock: Clock
  logger: Pick<FastifyBaseLogger, 'warn' | 'info'>
  metrics: Registry
  /** Redis with what seals what is put there, and what sets STS and role apart from others in it. */
  shared?: Readonly<{ redis: RedisClient; seal: Seal; scope: string }> | undefined
  /** From 0 to 1. */
  random?: () => number
}>

/** Memory, then the replicas' Redis, then STS: each level with what protects it, put together. */
export function createStack(
  options: StackOptions,
  { source, clock, logger, metrics, shared, random = Math.random }: Dependencies,
): Readonly<{ cache: CredentialCache; close: () => Promise<void> }> {
  const { monotonic } = clock
  const waits = createWaits(clock)
  // Apart, so that what was taken from Redis can still be given back while everything else ends.
  const redisWaits = createWaits(clock)
  const link = shared && createRedisLink({ redis: shared.redis, clock, waits: redisWaits, logger, metrics })
  const store = createSessionStore({ ...options, monotonic })
  const upstream = createUpstream({
    ...options,
    source,
    clock,
    waits,
    random,
    logger,
    metrics,
    rate: link
      ? createSharedRate(options.maxRps, link, `oss-vend:{${shared.scope}}:rate`, {
          monotonic,
          implausible: countImplausible(metrics),
        })
      : createLocalRate(options.maxRps, monotonic),
    perSecond: options.maxRps,
    limit: options.connections,
  })
  const cache = createCredentialCache({
    store,
    shared: link && createSharedCache({ link, seal: shared.seal, clock, waits, random, metrics }),
    upstream,
    clock,
    waits,
    random,
    metrics: createCacheMetrics(metrics, store.size),
    flightMs: options.deadlineMs,
    minValidityMs: options.minValiditySeconds * 1000,
  })
  return {
    cache,
    async close() {
      const settled = cache.settle()
      upstream.close()
      waits.close()
      await settled
      redisWaits.close()
      store.clear()
    },
  }
}
