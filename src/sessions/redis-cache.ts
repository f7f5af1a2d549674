import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { VendError } from '../errors.ts'
import type { ClosableClock } from '../lib/clock.ts'
import type { RedisLink } from '../lib/redis-link.ts'
import type { Grant } from '../policy/grant/grant.ts'
import { holdLease, type Lease, leaseFor, MAX_LEASE_MS, noLease, type RedisNames, redisNames } from './lease.ts'
import { createRedisEntries, type RedisTime } from './redis-entry.ts'
import type { Seal } from './seal.ts'
import type { Session } from './session.ts'
import type { SessionMetrics } from './session-metrics.ts'
import type { Needs, SessionSource } from './session-source.ts'
import { Shed } from './shed.ts'

type Dependencies = Readonly<{
  link: RedisLink
  seal: Seal
  /** The name of a grant in the caches: different for different grants. */
  keyOf: (grant: Grant) => string
  /** A session with less than this is of no use to another replica. */
  minValidityMs: number
  clock: ClosableClock
  random: () => number
  metrics: Pick<SessionMetrics, 'lookedUpShared'>
}>

/** An answer of Redis: a session, or the right of this replica alone to ask STS for one. */
type Found =
  | Readonly<{ session: Session }>
  | Readonly<{
      session?: undefined
      names: RedisNames
      lease: Lease
      /** Unknown when Redis did not answer. */
      time?: RedisTime | undefined
      /** A session that lives by Redis' clock and is over by ours. */
      doubtful?: Session | undefined
    }>

const POLL_MS = 40
/** Limit for one entry, whatever it holds: three texts of 8 KiB, sealed. */
const MAX_ENTRY_BYTES = 32 * 1024

// An entry of another type is read as one byte, which no seal is.
const ENTRY = `
local entry = redis.pcall('GETRANGE', KEYS[1], 0, ARGV[1])
if type(entry) == 'table' then entry = '?' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`
const READ = `${ENTRY} return {entry, redis.call('PTTL', KEYS[1]), now}`
// Read again under the lease: between the last look and now its former holder may have left a session. The holder of the
// lease already takes it for longer. A lease that no replica can have taken would keep all of them waiting.
const TAKE = `
local odd = 0
if not redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3]) then
  local left = redis.call('PTTL', KEYS[2])
  if left < 0 or left > tonumber(ARGV[4]) then
    odd = 1
  elseif redis.pcall('GET', KEYS[2]) ~= ARGV[2] then
    return {'', -2, 0, 0, 0}
  end
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
end
${ENTRY} return {entry, redis.call('PTTL', KEYS[1]), now, 1, odd}
`

const answerSchema = z.tuple([z.instanceof(Buffer), z.int(), z.int()], z.int())

/**
 * The sessions that replicas share. Of all replicas that need one, a single one asks the next level, under a lease; the
 * others wait for what it leaves in Redis. How long a session still lives is told by Redis' clock, so that replicas agree
 * about it whose dates do not. Without Redis each replica asks for itself.
 */
export function redisCache(next: SessionSource, dependencies: Dependencies): SessionSource {
  const { link, seal, keyOf, clock, random, metrics, minValidityMs } = dependencies
  const entries = createRedisEntries({ seal, clock })
  const underWay = new Set<Promise<unknown>>()

  function track<T>(promise: Promise<T>): Promise<T> {
    underWay.add(promise)
    promise.catch(() => {}).finally(() => underWay.delete(promise))
    return promise
  }

  /** The session in an answer of Redis, if it has enough left. */
  function read(key: string, answer: unknown, want: Readonly<{ needMs: number; asked: number }>) {
    const [sealed, ttlMs = 0, redisNow = 0] = answerSchema.safeParse(answer).data ?? []
    if (!sealed) return undefined
    const found = entries.read(key, { sealed, ttlMs, redisNow }, want)
    if (found.kind === 'session') return found
    if (found.kind !== 'none') metrics.lookedUpShared('ignored')
    if (found.kind === 'implausible') link.implausible('session')
    return undefined
  }

  function timeIn(answer: unknown): RedisTime | undefined {
    const [, , redis = 0] = answerSchema.safeParse(answer).data ?? []
    return redis > 0 ? { redis, monotonic: clock.monotonic() } : undefined
  }

  const look = ({ session }: RedisNames) =>
    link.ask('read', (redis) => redis.callBuffer('eval', READ, 1, session, MAX_ENTRY_BYTES))

  /** Looks for a session; else takes the lease, or waits for the replica that has it. */
  async function find(key: string, { validityMs: needMs, until, background }: Needs): Promise<Found> {
    const [name, ...olderNames] = seal.names(key)
    const names = redisNames(name)
    const token = randomBytes(16).toString('base64url')
    let slowestMs = 0
    let doubtful: Session | undefined

    // Only while keys are being changed: a replica that has the old one alone writes under its name.
    for (const older of olderNames) {
      const asked = clock.monotonic()
      const found = read(key, await look(redisNames(older)), { needMs, asked })
      doubtful ??= found?.session
      if (!found?.sure) continue
      metrics.lookedUpShared('hit')
      return found
    }

    for (;;) {
      const asked = clock.monotonic()
      const seen = await look(names)
      const found = read(key, seen, { needMs, asked })
      metrics.lookedUpShared(seen === undefined ? 'unavailable' : found?.sure ? 'hit' : 'miss')
      if (found?.sure) return found
      doubtful ??= found?.session
      if (seen === undefined) return { names, lease: noLease(link, names), doubtful }
      const seenAt = timeIn(seen)

      const began = clock.monotonic()
      slowestMs = Math.max(slowestMs, began - asked)
      const leaseMs = leaseFor(slowestMs)
      const taken = await link.ask('write', (redis) =>
        redis.callBuffer('eval', TAKE, 2, names.session, names.lease, MAX_ENTRY_BYTES, token, leaseMs, MAX_LEASE_MS),
      )
      const [, , , gotIt, odd] = answerSchema.safeParse(taken).data ?? []
      if (odd === 1) link.implausible('lease')
      if (gotIt === undefined) return { names, lease: noLease(link, names), time: seenAt, doubtful }
      const tookMs = clock.monotonic() - began
      slowestMs = Math.max(slowestMs, tookMs)
      // This process was so slow in reading the answer that the lease is over, or soon would be.
      if (gotIt === 1 && tookMs > leaseMs / 2 && leaseFor(slowestMs) > leaseMs) continue
      if (gotIt === 1) {
        const time = timeIn(taken)
        const lease = holdLease(link, clock, names, token)
        const left = read(key, taken, { needMs, asked: began })
        if (!left?.sure) return { names, lease, time, doubtful: left?.session ?? doubtful }
        await lease.release()
        return left
      }
      const pauseMs = POLL_MS * (0.5 + random())
      if (background || clock.monotonic() + pauseMs >= until) throw new Shed('lease', 1000)
      await clock.sleep(pauseMs)
    }
  }

  /** Needs nothing that is in Redis, nor a lease: other replicas may go on with what they find. */
  function alone(key: string): Found {
    const names = redisNames(seal.names(key)[0])
    return { names, lease: noLease(link, names) }
  }

  /** Leaves a session where the other replicas look, and ends the lease. */
  async function share(key: string, session: Session, { names, lease, time }: Exclude<Found, { session: Session }>) {
    // Without Redis' time nobody could tell when the session ends.
    const known = time ?? timeIn(await look(names))
    const sealed = known && entries.write(key, session, known)
    await (sealed ? lease.share(sealed) : lease.release())
  }

  async function session(grant: Grant, needs: Needs): Promise<Session> {
    // Replicas have nothing to share or to wait for.
    if (grant.durationSeconds * 1000 <= minValidityMs) return next.session(grant, needs)
    const key = keyOf(grant)
    const found = needs.fresh ? alone(key) : await find(key, needs)
    if (found.session) return found.session
    try {
      const fetched = await next.session(grant, needs)
      // The caller does not wait for what only the other replicas need.
      void track(share(key, fetched, found))
      return fetched
    } catch (error) {
      void track(found.lease.release())
      // STS refuses the signature of a replica whose date is wrong: then Redis' clock is right about the session.
      if (found.doubtful && error instanceof VendError && error.code === 'upstream_denied') return found.doubtful
      throw error
    }
  }

  return {
    session: (grant, needs) => track(session(grant, needs)),
    async close() {
      await next.close()
      while (underWay.size > 0) await Promise.allSettled(underWay)
    },
  }
}
