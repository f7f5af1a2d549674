import type { FastifyBaseLogger } from 'fastify'
import type { Registry } from 'prom-client'
import { type Clock, closable } from '../lib/clock.ts'
import type { RedisLink } from '../lib/redis-link.ts'
import { countImplausible } from '../observe/redis-implausible.ts'
import type { Grant } from '../policy/grant/grant.ts'
import type { CredentialSource } from '../sts/credentials.ts'
import { guard } from './guard.ts'
import { memoryCache } from './memory-cache.ts'
import { createLocalRate, createSharedRate } from './rate.ts'
import { redisCache } from './redis-cache.ts'
import type { Seal } from './seal.ts'
import type { SessionSource } from './session-source.ts'
import { stsSessions } from './sts-sessions.ts'

/** The numbers that operators choose. */
export type SessionOptions = Readonly<{
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
  /** The name of a grant in the caches: different for different grants. */
  keyOf: (grant: Grant) => string
  clock: Clock
  logger: Pick<FastifyBaseLogger, 'warn' | 'info'>
  metrics: Registry
  /** Redis with what seals what is put there, and what sets STS and role apart from others in it. */
  shared?: Readonly<{ link: RedisLink; seal: Seal; scope: string }> | undefined
  /** From 0 to 1. */
  random?: () => number
}>

/** Sessions from memory, else from the replicas' Redis, else from STS behind its guard. */
export function createSessions(options: SessionOptions, dependencies: Dependencies): SessionSource {
  const { source, shared, metrics, random = Math.random } = dependencies
  const { maxRps, minValiditySeconds } = options
  const clock = closable(dependencies.clock)
  const { monotonic } = clock
  const rate = shared
    ? createSharedRate(maxRps, shared.link, `oss-vend:{${shared.scope}}:rate`, {
        monotonic,
        implausible: countImplausible(metrics),
      })
    : createLocalRate(maxRps, monotonic)

  const all = { ...options, ...dependencies, clock, random, rate, minValidityMs: minValiditySeconds * 1000 }
  const withRedis = (next: SessionSource) => (shared ? redisCache(next, { ...all, ...shared }) : next)
  const sessions = memoryCache(withRedis(guard(stsSessions(source, all), all)), all)

  return {
    session: sessions.session,
    close() {
      clock.close()
      return sessions.close()
    },
  }
}
