import { z } from 'zod'
import type { Clock } from '../lib/clock.ts'
import type { Credentials } from '../sts/credentials.ts'
import type { Sealed } from './lease.ts'
import type { Seal } from './seal.ts'
import type { Session } from './session.ts'

/** An instant by Redis' clock, and one by our monotonic clock that is surely not before it. */
export type RedisTime = Readonly<{ redis: number; monotonic: number }>

/** An entry in Redis: its bytes, its remaining milliseconds, and Redis' own clock. */
export type Kept = Readonly<{ sealed: Buffer; ttlMs: number; redisNow: number }>

/** `sure` unless our date says that the session is over. */
export type Read =
  | Readonly<{ kind: 'session'; session: Session; sure: boolean }>
  | Readonly<{
      /** `ignored` is not ours, or not whole; `implausible` is ours, and somebody else wrote it again. */
      kind: 'none' | 'ignored' | 'implausible'
    }>

/** Sessions as they are in Redis: sealed, and bounded by what is sealed with them. */
export type RedisEntries = Readonly<{
  /** Undefined for a session that is over. */
  write(key: string, session: Credentials & Pick<Session, 'endsAt'>, time: RedisTime): Sealed | undefined
  /** `asked` is when the question went out, by the monotonic clock: what is left is counted from there. */
  read(key: string, kept: Kept, want: Readonly<{ needMs: number; asked: number }>): Read
}>

/** By so much an entry's time to live may be over what is sealed in it: the way to Redis, and a clock that is set. */
const TTL_SLACK_MS = 10_000

/** The credentials, their end by STS' clock and by Redis', and for how long they were good when they were sealed. */
const entrySchema = z.tuple([
  z.string().min(1),
  z.string().min(1),
  z.string().min(1),
  z.int().positive(),
  z.int().positive(),
  z.int().positive(),
])

/**
 * Anyone who can write to Redis can keep an old entry and write it again with a long time to live. So the end by Redis'
 * clock and the length are sealed with the session. However wrong our date is, a session is never taken for longer than
 * that length, than Redis keeps it, or than until that end by Redis' clock. To be handed an expired session, a replica
 * needs a wrong date, or an STS that refuses it, and besides a clock of Redis that was set back.
 */
export function createRedisEntries({
  seal,
  clock,
}: Readonly<{ seal: Seal; clock: Pick<Clock, 'now' | 'monotonic'> }>): RedisEntries {
  return {
    write(key, session, time) {
      const ttlMs = Math.floor(session.endsAt - clock.monotonic())
      if (ttlMs <= 0) return undefined
      const redisEndsAt = Math.floor(time.redis + session.endsAt - time.monotonic)
      const { accessKey, secretKey, sessionToken, expiresAt } = session
      const entry = [accessKey, secretKey, sessionToken, expiresAt, redisEndsAt, ttlMs]
      return { sealed: seal.seal(key, JSON.stringify(entry)), ttlMs }
    },
    read(key, { sealed, ttlMs, redisNow }, { needMs, asked }) {
      if (sealed.length === 0) return { kind: 'none' }
      const entry = entrySchema.safeParse(parseJson(seal.open(key, sealed)))
      if (!entry.success) return { kind: 'ignored' }
      const [accessKey, secretKey, sessionToken, expiresAt, redisEndsAt, lengthMs] = entry.data
      const untilEndMs = redisEndsAt - redisNow
      // Ours always have an end.
      const endless = ttlMs <= 0
      const mostMs = Math.min(untilEndMs, lengthMs)
      if (endless || ttlMs > mostMs + TTL_SLACK_MS) return { kind: 'implausible' }
      const leftMs = Math.min(ttlMs, mostMs)
      if (leftMs < needMs) return { kind: 'none' }
      const datedMs = expiresAt - clock.now()
      const sure = datedMs >= needMs
      const endsAt = asked + (sure ? Math.min(leftMs, datedMs) : leftMs)
      const session = { accessKey, secretKey, sessionToken, expiresAt, endsAt, lengthMs, from: 'shared' } as const
      return { kind: 'session', session, sure }
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
