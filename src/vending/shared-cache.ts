import { randomBytes } from 'node:crypto'
import { Counter, type Registry } from 'prom-client'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { holdLease, leaseFor, noLease, redisNames } from './lease.ts'
import type { RedisLink } from './redis-link.ts'
import type { Seal } from './seal.ts'
import type { Session } from './session.ts'
import type { Waits } from './waits.ts'

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
  clock: Clock
  waits: Waits
  random: () => number
  metrics: Registry
}>

const POLL_MS = 40
/** Whatever lies under a key, no more of it is read: three texts of 8 KiB, sealed. */
const MAX_ENTRY_BYTES = 32 * 1024

// An entry of another type is read as one byte, which no seal is.
const READ = `
local entry = redis.pcall('GETRANGE', KEYS[1], 0, ARGV[1])
if type(entry) == 'table' then entry = '?' end
return {entry, redis.call('PTTL', KEYS[1])}
`
// Read again under the lease: between the last look and now its former holder may have left a session. Whoever has the
// lease already takes it for longer.
const TAKE = `
if not redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3]) then
  if redis.call('GET', KEYS[2]) ~= ARGV[2] then return {'', -2, 0} end
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
local entry = redis.pcall('GETRANGE', KEYS[1], 0, ARGV[1])
if type(entry) == 'table' then entry = '?' end
return {entry, redis.call('PTTL', KEYS[1]), 1}
`

const answerSchema = z.tuple([z.instanceof(Buffer), z.int()], z.int())
const entrySchema = z.tuple([z.string().min(1), z.string().min(1), z.string().min(1), z.int().positive()])

/**
 * Sessions in Redis, sealed. How long one still lives is told by its time to live, which Redis counts, so that replicas
 * agree about it whose clocks do not.
 */
export function createSharedCache({ link, seal, clock, waits, random, metrics }: Dependencies): SharedCache {
  const lookups = new Counter({
    name: 'oss_vend_shared_cache_lookups_total',
    help: 'Looks into the shared cache: hit, miss, ignored for an entry that is not ours or not whole, unavailable.',
    labelNames: ['result'],
    registers: [metrics],
  })

  /** The session in an answer of Redis, if it is one that has so much left; `sure` unless the date says otherwise. */
  function read(key: string, answer: unknown, needMs: number): { session: Session; sure: boolean } | undefined {
    const [sealed, ttlMs = 0] = answerSchema.safeParse(answer).data ?? []
    if (!sealed || sealed.length === 0) return undefined
    const entry = entrySchema.safeParse(parseJson(seal.open(key, sealed)))
    // Ours always have an end.
    if (!entry.success || ttlMs <= 0) {
      lookups.inc({ result: 'ignored' })
      return undefined
    }
    if (ttlMs < needMs) return undefined
    const [accessKey, secretKey, sessionToken, expiresAt] = entry.data
    // A Redis whose clock was set back, or whoever may write to it, keeps sessions for longer than they live.
    const datedMs = expiresAt - clock.now()
    const sure = datedMs >= needMs
    const endsAt = clock.monotonic() + (sure ? Math.min(ttlMs, datedMs) : ttlMs)
    return { session: { accessKey, secretKey, sessionToken, expiresAt, endsAt }, sure }
  }

  function asking(key: string, lease: ReturnType<typeof holdLease>, doubtful?: Session): SharedAnswer {
    return {
      kind: 'ask',
      doubtful,
      keep: lease.keep,
      async done(session) {
        const ttlMs = session ? Math.floor(session.endsAt - clock.monotonic()) : 0
        if (!session || ttlMs <= 0) return lease.release()
        const { accessKey, secretKey, sessionToken, expiresAt } = session
        const sealed = seal.seal(key, JSON.stringify([accessKey, secretKey, sessionToken, expiresAt]))
        return lease.share({ sealed, ttlMs })
      },
    }
  }

  return {
    async find(key, { needMs, until, wait }) {
      const names = redisNames(key)
      const token = randomBytes(16).toString('base64url')
      let slowestMs = 0

      for (;;) {
        const asked = clock.monotonic()
        const seen = await link.ask('read', (redis) =>
          redis.callBuffer('eval', READ, 1, names.session, MAX_ENTRY_BYTES),
        )
        const found = read(key, seen, needMs)
        lookups.inc({ result: seen === undefined ? 'unavailable' : found?.sure ? 'hit' : 'miss' })
        if (found?.sure) return { kind: 'session', session: found.session }
        if (seen === undefined) return asking(key, noLease(link, key))

        const began = clock.monotonic()
        slowestMs = Math.max(slowestMs, began - asked)
        const leaseMs = leaseFor(slowestMs)
        const taken = await link.ask('write', (redis) =>
          redis.callBuffer('eval', TAKE, 2, names.session, names.lease, MAX_ENTRY_BYTES, token, leaseMs),
        )
        const [, , gotIt] = answerSchema.safeParse(taken).data ?? []
        if (gotIt === undefined) return asking(key, noLease(link, key), found?.session)
        const tookMs = clock.monotonic() - began
        slowestMs = Math.max(slowestMs, tookMs)
        // This process was so slow in reading the answer that the lease is over, or soon would be.
        if (gotIt === 1 && tookMs > leaseMs / 2 && leaseFor(slowestMs) > leaseMs) continue
        if (gotIt === 1) {
          const lease = holdLease(link, clock, key, token)
          const left = read(key, taken, needMs)
          if (!left?.sure) return asking(key, lease, left?.session)
          await lease.release()
          return { kind: 'session', session: left.session }
        }
        const pauseMs = POLL_MS * (0.5 + random())
        if (!wait || clock.monotonic() + pauseMs >= until) return { kind: 'busy' }
        await waits.sleep(pauseMs)
      }
    },
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
