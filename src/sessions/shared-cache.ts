import { randomBytes } from 'node:crypto'
import { Counter, type Registry } from 'prom-client'
import { z } from 'zod'
import type { ClosableClock } from '../lib/clock.ts'
import type { RedisLink } from '../lib/redis-link.ts'
import { countImplausible } from '../observe/redis-implausible.ts'
import { holdLease, type Lease, leaseFor, MAX_LEASE_MS, noLease, type RedisNames, redisNames } from './lease.ts'
import type { Seal } from './seal.ts'
import type { Session } from './session.ts'
import { createSharedEntries, type RedisTime } from './shared-entry.ts'

/** What the other replicas have to say: a session, that this one should ask STS, or that one of them is at it. */
export type SharedAnswer =
  | Readonly<{ kind: 'session'; session: Session }>
  | Readonly<{
      kind: 'ask'
      /** One that lives by Redis' clock and is over by ours: for when STS refuses us, as it does whose clock is wrong. */
      doubtful?: Session | undefined
      /** Somebody joined who waits for it, too: the right to ask is kept, however busy this process is. */
      keep(): void
      /** What became of it; without a session one of the others may try. Does not fail. */
      done(session?: Session): Promise<void>
    }>
  | Readonly<{ kind: 'busy' }>

/** The sessions that replicas share. */
export type SharedCache = Readonly<{
  /**
   * Looks for a session with `needMs` left; else takes the lease, or waits until `until` (monotonic clock) for whoever
   * has it. Without Redis the answer is to ask STS.
   * @throws {VendError} `not_ready` when the service ends meanwhile
   */
  find(key: string, want: Readonly<{ needMs: number; until: number; wait: boolean }>): Promise<SharedAnswer>
}>

type Dependencies = Readonly<{
  link: RedisLink
  seal: Seal
  clock: ClosableClock
  random: () => number
  metrics: Registry
}>

/** On what terms this replica asks STS: `time` of Redis where it is known. */
type Asking = Readonly<{
  names: RedisNames
  lease: Lease
  time?: RedisTime | undefined
  doubtful?: Session | undefined
}>

const POLL_MS = 40
/** Whatever lies under a key, no more of it is read: three texts of 8 KiB, sealed. */
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
 * Sessions in Redis. How long one still lives is told by Redis' clock, so that replicas agree about it whose dates do not.
 */
export function createSharedCache({ link, seal, clock, random, metrics }: Dependencies): SharedCache {
  const implausible = countImplausible(metrics)
  const lookups = new Counter({
    name: 'oss_vend_shared_cache_lookups_total',
    help: 'Looks into the shared cache: hit, miss, ignored for an entry that is not ours or not whole, unavailable.',
    labelNames: ['result'],
    registers: [metrics],
  })

  const entries = createSharedEntries({ seal, clock })

  /** The session in an answer of Redis, if it has so much left. */
  function read(key: string, answer: unknown, want: Readonly<{ needMs: number; asked: number }>) {
    const [sealed, ttlMs = 0, redisNow = 0] = answerSchema.safeParse(answer).data ?? []
    if (!sealed) return undefined
    const found = entries.read(key, { sealed, ttlMs, redisNow }, want)
    if (found.kind === 'session') return found
    if (found.kind !== 'none') lookups.inc({ result: 'ignored' })
    if (found.kind === 'implausible') implausible('session')
    return undefined
  }

  function timeIn(answer: unknown): RedisTime | undefined {
    const [, , redis = 0] = answerSchema.safeParse(answer).data ?? []
    return redis > 0 ? { redis, monotonic: clock.monotonic() } : undefined
  }

  const look = ({ session }: RedisNames) =>
    link.ask('read', (redis) => redis.callBuffer('eval', READ, 1, session, MAX_ENTRY_BYTES))

  function asking(key: string, { names, lease, time, doubtful }: Asking): SharedAnswer {
    return {
      kind: 'ask',
      doubtful,
      keep: lease.keep,
      async done(session) {
        if (!session) return lease.release()
        // Unknown when Redis did not answer before. Without it nobody could tell when the session ends.
        const known = time ?? timeIn(await look(names))
        const shared = known && entries.write(key, session, known)
        return shared ? lease.share(shared) : lease.release()
      },
    }
  }

  return {
    async find(key, { needMs, until, wait }) {
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
        lookups.inc({ result: 'hit' })
        return { kind: 'session', session: found.session }
      }

      for (;;) {
        const asked = clock.monotonic()
        const seen = await look(names)
        const found = read(key, seen, { needMs, asked })
        lookups.inc({ result: seen === undefined ? 'unavailable' : found?.sure ? 'hit' : 'miss' })
        if (found?.sure) return { kind: 'session', session: found.session }
        doubtful ??= found?.session
        if (seen === undefined) return asking(key, { names, lease: noLease(link, names) })
        const seenAt = timeIn(seen)

        const began = clock.monotonic()
        slowestMs = Math.max(slowestMs, began - asked)
        const leaseMs = leaseFor(slowestMs)
        const taken = await link.ask('write', (redis) =>
          redis.callBuffer('eval', TAKE, 2, names.session, names.lease, MAX_ENTRY_BYTES, token, leaseMs, MAX_LEASE_MS),
        )
        const [, , , gotIt, odd] = answerSchema.safeParse(taken).data ?? []
        if (odd === 1) implausible('lease')
        if (gotIt === undefined) {
          return asking(key, { names, lease: noLease(link, names), time: seenAt, doubtful })
        }
        const tookMs = clock.monotonic() - began
        slowestMs = Math.max(slowestMs, tookMs)
        // This process was so slow in reading the answer that the lease is over, or soon would be.
        if (gotIt === 1 && tookMs > leaseMs / 2 && leaseFor(slowestMs) > leaseMs) continue
        if (gotIt === 1) {
          const time = timeIn(taken)
          const lease = holdLease(link, clock, names, token)
          const left = read(key, taken, { needMs, asked: began })
          if (!left?.sure) return asking(key, { names, lease, time, doubtful: left?.session ?? doubtful })
          await lease.release()
          return { kind: 'session', session: left.session }
        }
        const pauseMs = POLL_MS * (0.5 + random())
        if (!wait || clock.monotonic() + pauseMs >= until) return { kind: 'busy' }
        await clock.sleep(pauseMs)
      }
    },
  }
}
