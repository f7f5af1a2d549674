import type { Clock } from '../lib/clock.ts'
import type { Credentials } from '../sts/credentials.ts'

/** Credentials with what is known of their time. */
export type Session = Credentials &
  Readonly<{
    /** By the monotonic clock they surely work until here; after it, nothing is known. */
    endsAt: number
    /** Milliseconds from beginning to end. */
    lengthMs: number
    /** Which level had it: this process, another replica, or STS just now. */
    from: 'cache' | 'shared' | 'sts'
  }>

/**
 * A session out of what STS paid out. Its length is measured from before STS was asked and by the monotonic clock, and
 * is never more than what was asked for: the date may be wrong, or be set while the session lives.
 */
export function sessionOf(
  { accessKey, secretKey, sessionToken, expiresAt }: Credentials,
  asked: Readonly<{ now: number; monotonic: number; durationSeconds: number }>,
): Session {
  const lengthMs = Math.min(expiresAt - asked.now, asked.durationSeconds * 1000)
  return { accessKey, secretKey, sessionToken, expiresAt, endsAt: asked.monotonic + lengthMs, lengthMs, from: 'sts' }
}

/**
 * The milliseconds that a session must have left when it comes from STS. One that is asked for as short as callers need it
 * can never have that: half of it is enough, and no cache gives it to the next caller.
 */
export const enoughFromSts = (needMs: number, { durationSeconds }: Readonly<{ durationSeconds: number }>): number =>
  Math.min(needMs, durationSeconds * 500)

/**
 * How a session stands to the milliseconds that are needed of it. `doubtful` when the clocks disagree: the date says
 * that it is over, the time that has passed says that it is not. Either somebody set the clock and the session lives,
 * or the machine slept and it does not.
 */
export function standing(
  session: Pick<Session, 'endsAt' | 'expiresAt'>,
  needMs: number,
  clock: Pick<Clock, 'now' | 'monotonic'>,
): 'live' | 'doubtful' | 'over' {
  if (session.endsAt - clock.monotonic() < needMs) return 'over'
  return session.expiresAt - clock.now() < needMs ? 'doubtful' : 'live'
}
