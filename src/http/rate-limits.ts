import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config/config.ts'
import { VendError } from '../errors.ts'
import { type Authenticate, UNKNOWN_KEY } from '../identity/authenticate.ts'
import type { Caller } from '../identity/caller.ts'
import { clientKey } from '../lib/address.ts'
import type { RedisLink } from '../lib/redis-link.ts'
import { createCounter, createSharedCounts } from './counter.ts'
import type { App } from './fastify.ts'
import type { HttpMetrics } from './http-metrics.ts'
import { warnOfProxies } from './proxy-warnings.ts'
import { type Count, createWindows } from './windows.ts'

const WINDOW_MS = 60_000
/** Windows that are kept for each limit: up to 20 MB. */
const MAX_KEYS = 100_000

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False for a route that the limit of addresses leaves out. */
    rateLimit?: false
  }
  interface FastifyRequest {
    /** How its caller stands with its limit. */
    callerCount: Count | null
    /** Counts so many more requests of its caller, for one that costs more. Throws `rate_limited`. */
    charge(requests: number): Promise<void>
  }
}

/** The limit that a request met. */
export type Limit = 'address' | 'failed_authentication' | 'caller'

type Dependencies = Readonly<{
  now: () => number
  metrics: Pick<HttpMetrics, 'rateLimited' | 'countsAlone'>
  /** With the names that keys have in it. */
  shared?: Readonly<{ link: RedisLink; nameOf: (key: string) => string }> | undefined
}>

/**
 * Limits how often an address may ask, how many bad tokens it may present, and how often a caller may ask. Must be
 * called before the routes are registered; the limit of addresses leaves out those with `config: { rateLimit: false }`.
 *
 * By counters of our own: while Redis does not answer, the store of @fastify/rate-limit either fails every request or
 * lets every request pass, and its own memory is no part of that store. Over our counters the plugin was one hook.
 *
 * @returns {Authenticate} that also keeps the two other limits; throws `rate_limited` beside what it threw before
 */
export function registerRateLimits(
  app: App,
  { rateLimits, trustProxy }: Pick<Config, 'rateLimits' | 'trustProxy'>,
  authenticate: Authenticate,
  { now, metrics, shared: others }: Dependencies,
): Authenticate {
  const onFailure = () => {
    metrics.countsAlone()
    app.log.warn('Redis does not answer: this replica counts for its rate limits alone')
  }
  const shared = others && createSharedCounts({ ...others, onFailure })
  const createLimit = (limit: Limit, max: number) => {
    const windows = createWindows({ windowMs: WINDOW_MS, maxKeys: MAX_KEYS, now })
    const prefix = `oss-vend:rate:${limit}:`
    return createCounter({ prefix, max, windowMs: WINDOW_MS, windows, shared })
  }
  const refusal = (limit: Limit, { ttl }: Pick<Count, 'ttl'>, log: VendError['log'] = {}) => {
    metrics.rateLimited(limit)
    return new VendError('rate_limited', {
      detail: DETAILS[limit],
      retryAfterSeconds: Math.ceil(ttl / 1000),
      log: { ...log, limit },
    })
  }

  warnOfProxies(app, trustProxy)
  const { address: maxAddress, failedAuthentication: maxFailures, caller: maxCaller } = rateLimits
  if (maxAddress > 0) {
    const addresses = createLimit('address', maxAddress)
    // For the whole service and not route by route: a route's own hooks come first, and would authenticate before.
    app.addHook('onRequest', async (request, reply) => {
      if (request.routeOptions.config.rateLimit === false) return
      const count = await addresses(clientKey(request))
      if (count.current <= maxAddress) return
      // Only now: others may be behind the same address, and how often they ask is not for everyone there to read.
      tellLimit(reply, count, maxAddress)
      throw refusal('address', count)
    })
  }

  app.decorateRequest('callerCount', null)
  if (maxCaller > 0) {
    app.addHook('onSend', ({ callerCount }, reply, payload, done) => {
      if (callerCount) tellLimit(reply, callerCount, maxCaller)
      done(null, payload)
    })
  }

  const failures = createLimit('failed_authentication', maxFailures)
  const callers = createLimit('caller', maxCaller)
  async function countCaller(request: FastifyRequest, caller: Caller, requests: number): Promise<void> {
    if (maxCaller === 0 || requests === 0) return
    const count = await callers(callerKey(caller), requests)
    request.callerCount = count
    if (count.current > maxCaller) throw refusal('caller', count)
  }
  app.decorateRequest('charge', function (this: FastifyRequest, requests: number) {
    return this.caller ? countCaller(this, this.caller, requests) : Promise.resolve()
  })

  return async (request, token) => {
    let caller: Caller
    try {
      caller = await authenticate(request, token)
    } catch (error) {
      if (maxFailures === 0 || !(error instanceof VendError) || !isFailure(error)) throw error
      // Over the limit, too, every token is verified: anything else would let one guesser lock out the good tokens of a
      // whole mobile network. The limit of addresses bounds what that costs. Whatever is wrong, the 429 is the same.
      const count = await failures(clientKey(request))
      throw count.current > maxFailures ? refusal('failed_authentication', count, error.log) : error
    }
    await countCaller(request, caller, 1)
    return caller
  }
}

/** A token whose key nobody knows counts as well, or invented keys would be a way around the limit. */
const isFailure = ({ code, log }: VendError) => code === 'unauthenticated' || log?.reason === UNKNOWN_KEY

const DETAILS: Readonly<Record<Limit, string>> = {
  address: 'this address has asked too often',
  failed_authentication: 'this address has sent too many tokens that were refused',
  caller: 'this caller has asked too often',
}

/** The key of a caller's count. No two callers share one. */
function callerKey({ issuer, subject }: Caller): string {
  return hash('sha256', JSON.stringify([issuer, subject]), 'base64url')
}

/** Sets the headers that describe a limit. */
function tellLimit(reply: FastifyReply, { current, ttl }: Count, max: number): void {
  reply.headers({
    'ratelimit-limit': max,
    'ratelimit-remaining': Math.max(0, max - current),
    'ratelimit-reset': Math.ceil(ttl / 1000),
  })
}
