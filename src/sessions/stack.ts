import type { FastifyBaseLogger } from 'fastify'
import type { Registry } from 'prom-client'
import { type Clock, closable } from '../lib/clock.ts'
import type { RedisLink } from '../lib/redis-link.ts'
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
  shared?: Readonly<{ link: RedisLink; seal: Seal; scope: string }> | undefined
  /** From 0 to 1. */
  random?: () => number
}>

/** Memory, then the replicas' Redis, then STS: each level with what protects it, put together. */
export function createStack(
  options: StackOptions,
  { source, logger, metrics, shared, random = Math.random, ...time }: Dependencies,
): Readonly<{ cache: CredentialCache; close: () => Promise<void> }> {
  const clock = closable(time.clock)
  const { monotonic } = clock
  const store = createSessionStore({ ...options, monotonic })
  const upstream = createUpstream({
    ...options,
    source,
    clock,
    random,
    logger,
    metrics,
    rate: shared
      ? createSharedRate(options.maxRps, shared.link, `oss-vend:{${shared.scope}}:rate`, {
          monotonic,
          implausible: countImplausible(metrics),
        })
      : createLocalRate(options.maxRps, monotonic),
    perSecond: options.maxRps,
    limit: options.connections,
  })
  const cache = createCredentialCache({
    store,
    shared: shared && createSharedCache({ ...shared, clock, random, metrics }),
    upstream,
    clock,
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
      clock.close()
      await settled
      store.clear()
    },
  }
}
