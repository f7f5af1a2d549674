import { hash } from 'node:crypto'
import rateLimit, { type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { FastifyReply } from 'fastify'
import type { Cluster, Redis } from 'ioredis'
import { Counter as Metric, type Registry } from 'prom-client'
import type { App } from '../../routes/services.ts'
import type { Config } from '../config/config.ts'
import { VendError } from '../errors.ts'
import type { Authenticate } from '../identity/authenticate.ts'
import type { Caller } from '../identity/caller.ts'
import { addressKey } from './address.ts'
import { type Counter, createCounter, createSharedCounts } from './counter.ts'
import { createKnownTokens } from './known-tokens.ts'
import { type Count, createWindows } from './windows.ts'

const WINDOW_MS = 60_000
/** Windows that are kept for each limit: up to 20 MB. */
const MAX_KEYS = 100_000

declare module 'fastify' {
  interface FastifyRequest {
    /** How its caller stands with its limit. */
    callerCount: Count | null
  }
}

type Limit = 'address' | 'failed_authentication' | 'caller'

type Dependencies = Readonly<{
  now: () => number
  metrics: Registry
  redis?: Redis | Cluster | undefined
}>

/**
 * Limits how often an address may ask, how often it may be refused with a 401, and how often a caller may ask. Must be
 * called before the routes are registered; the limit of addresses leaves out those with `config: { rateLimit: false }`.
 *
 * @returns {Authenticate} that also keeps the two other limits; throws `rate_limited` beside what it threw before
 */
export async function registerRateLimits(
  app: App,
  { rateLimits }: Pick<Config, 'rateLimits'>,
  authenticate: Authenticate,
  { now, metrics, redis }: Dependencies,
): Promise<Authenticate> {
  const limited = new Metric({
    name: 'oss_vend_rate_limited_total',
    help: 'Requests refused with rate_limited, by the limit that they met.',
    labelNames: ['limit'],
    registers: [metrics],
  })
  const alone = new Metric({
    name: 'oss_vend_rate_limit_redis_failures_total',
    help: 'Times that Redis stopped answering and this replica went on counting alone.',
    registers: [metrics],
  })
  const onFailure = () => {
    alone.inc()
    app.log.warn('Redis does not answer: this replica counts for its rate limits alone')
  }
  const shared = redis && createSharedCounts({ redis, now, onFailure })
  const createLimit = (limit: Limit, max: number) => {
    const windows = createWindows({ windowMs: WINDOW_MS, maxKeys: MAX_KEYS, now })
    const prefix = `oss-vend:rate:${limit}:`
    return { windows, hit: createCounter({ prefix, max, windowMs: WINDOW_MS, windows, shared }) }
  }
  const refusal = (limit: Limit, { ttl }: Pick<Count, 'ttl'>) => {
    limited.inc({ limit })
    return new VendError('rate_limited', {
      detail: DETAILS[limit],
      retryAfterSeconds: Math.ceil(ttl / 1000),
      log: { limit },
    })
  }

  const { address: maxAddress, failedAuthentication: maxFailures, caller: maxCaller } = rateLimits
  if (maxAddress > 0) {
    await app.register(rateLimit, {
      global: false,
      max: maxAddress,
      timeWindow: WINDOW_MS,
      enableDraftSpec: true,
      store: storeOf(createLimit('address', maxAddress).hit),
      keyGenerator: ({ ip }) => addressKey(ip),
      allowList: ({ routeOptions }) => routeOptions.config.rateLimit === false,
      errorResponseBuilder: (_request, context) => refusal('address', context),
    })
    // For the whole service and not route by route: a route's own hooks come first, and would authenticate before.
    app.addHook('onRequest', app.rateLimit())
  }

  app.decorateRequest('callerCount', null)
  if (maxCaller > 0) {
    app.addHook('onSend', ({ callerCount }, reply, payload, done) => {
      if (callerCount) tellCaller(reply, callerCount, maxCaller)
      done(null, payload)
    })
  }

  const failures = createLimit('failed_authentication', maxFailures)
  const callers = createLimit('caller', maxCaller)
  const known = createKnownTokens()
  if (maxFailures > 0) {
    app.addHook('onResponse', async ({ ip }, { statusCode }) => {
      if (statusCode === 401) await failures.hit(addressKey(ip))
    })
  }

  return async (request, token) => {
    if (maxFailures > 0) {
      const count = failures.windows.peek(addressKey(request.ip))
      // Behind one address may sit a whole mobile network, whose users must not pay for one of them who guesses.
      if (count && count.current > maxFailures && !known.has(token)) throw refusal('failed_authentication', count)
    }
    const caller = await authenticate(request, token)
    if (maxFailures > 0) known.add(token)
    if (maxCaller > 0) {
      const count = await callers.hit(callerKey(caller))
      request.callerCount = count
      if (count.current > maxCaller) throw refusal('caller', count)
    }
    return caller
  }
}

const DETAILS: Readonly<Record<Limit, string>> = {
  address: 'this address has asked too often',
  failed_authentication: 'this address has sent too many tokens that were refused',
  caller: 'this caller has asked too often',
}

/** What a caller is counted as: tells nobody who looks into Redis who it is, and no two callers run together. */
function callerKey({ issuer, subject }: Caller): string {
  return hash('sha256', JSON.stringify([issuer, subject]), 'base64url')
}

/** The headers that @fastify/rate-limit has set for the address, where the caller is nearer to its own limit. */
function tellCaller(reply: FastifyReply, { current, ttl }: Count, max: number): void {
  const remaining = Math.max(0, max - current)
  const forAddress = reply.getHeader('ratelimit-remaining')
  if (typeof forAddress === 'number' && forAddress < remaining) return
  reply.headers({
    'ratelimit-limit': max,
    'ratelimit-remaining': remaining,
    'ratelimit-reset': Math.ceil(ttl / 1000),
  })
}

/** A counter as @fastify/rate-limit wants one: it makes the store itself, and its own counts by Node's clock alone. */
function storeOf(hit: Counter): FastifyRateLimitStoreCtor {
  return class {
    incr(key: string, done: (error: Error | null, count?: Count) => void): void {
      hit(key).then((count) => done(null, count), done)
    }
    child() {
      return this
    }
  }
}
