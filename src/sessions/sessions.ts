import type { FastifyBaseLogger } from 'fastify'
import { type Clock, closable } from '../lib/clock.ts'
import type { RedisLink } from '../lib/redis-link.ts'
import type { Tracing } from '../lib/tracing.ts'
import type { Grant } from '../policy/grant/grant.ts'
import type { CredentialSource } from '../sts/credentials.ts'
import { guard } from './guard.ts'
import { memoryCache } from './memory-cache.ts'
import { createNewSessions } from './new-sessions.ts'
import { createLocalRate, createSharedRate, type Rate } from './rate.ts'
import { redisCache } from './redis-cache.ts'
import type { Seal } from './seal.ts'
import type { SessionMetrics } from './session-metrics.ts'
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

/** The STS of a target. */
export type Upstream = Readonly<{
  source: CredentialSource
  /** Names the account whose quota its calls use up. Targets of one quota share one rate, also between replicas. */
  quota: string
}>

type Dependencies = Readonly<{
  /** By the name of the target. */
  upstreams: ReadonlyMap<string, Upstream>
  /** The name of a grant in the caches: different for different grants. */
  keyOf: (grant: Grant) => string
  clock: Clock
  logger: Pick<FastifyBaseLogger, 'warn' | 'info'>
  metrics: SessionMetrics
  tracing?: Tracing | undefined
  /** Redis with what seals what is put there. */
  shared?: Readonly<{ link: RedisLink; seal: Seal }> | undefined
  /** From 0 to 1. */
  random?: () => number
}>

/**
 * Sessions from memory, else from the replicas' Redis, else from the STS of the grant's target. The caches are one for all
 * targets, and so are their bounds; each target's STS has a guard of its own, so that its outage is its own.
 */
export function createSessions(options: SessionOptions, dependencies: Dependencies): SessionSource {
  const { upstreams, shared, metrics, random = Math.random } = dependencies
  const clock = closable(dependencies.clock)
  const { monotonic } = clock
  const all = {
    ...options,
    ...dependencies,
    clock,
    random,
    minValidityMs: options.minValiditySeconds * 1000,
    newSessions: createNewSessions({ max: options.newSessionsPerMinute, monotonic, metrics }),
  }
  const rateOf = createRates(options.maxRps, { shared, monotonic })
  const guarded = [...upstreams].map(([target, { source, quota }]) => {
    const ofTarget = { ...all, target, rate: rateOf(quota) }
    return [target, guard(stsSessions(source, ofTarget), ofTarget)] as const
  })
  const withRedis = (next: SessionSource) => (shared ? redisCache(next, { ...all, ...shared }) : next)
  const sessions = memoryCache(withRedis(byTarget(new Map(guarded))), all)

  return {
    session: sessions.session,
    close() {
      clock.close()
      return sessions.close()
    },
  }
}

/** One rate for each quota. */
function createRates(
  maxRps: number,
  { shared, monotonic }: Pick<Dependencies, 'shared'> & Readonly<{ monotonic: () => number }>,
): (quota: string) => Rate {
  const rates = new Map<string, Rate>()
  const create = (quota: string) =>
    shared
      ? createSharedRate(maxRps, shared.link, `oss-vend:{${quota}}:rate`, monotonic)
      : createLocalRate(maxRps, monotonic)
  return (quota) => {
    const rate = rates.get(quota) ?? create(quota)
    rates.set(quota, rate)
    return rate
  }
}

function byTarget(sources: ReadonlyMap<string, SessionSource>): SessionSource {
  return {
    async session(grant, needs) {
      const source = sources.get(grant.target)
      if (!source) throw new Error('the grant is for no target')
      return source.session(grant, needs)
    },
    async close() {
      await Promise.all([...sources.values()].map((source) => source.close()))
    },
  }
}
