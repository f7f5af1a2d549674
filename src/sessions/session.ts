import type { Clock } from '../lib/clock.ts'
import type { Credentials } from '../sts/credentials.ts'

/** Credentials with the instant of the monotonic clock at which they surely still work; after it, nothing is known. */
export type Session = Credentials & Readonly<{ endsAt: number }>

/**
 * A session out of what STS paid out. Its length is measured from before STS was asked and by the monotonic clock, and
 * is never more than what was asked for: the date may be wrong, or be set while the session lives.
 */
export function sessionOf(
  { accessKey, secretKey, sessionToken, expiresAt }: Credentials,
  asked: Readonly<{ now: number; monotonic: number; durationSeconds: number }>,
): Session {
  const lengthMs = Math.min(expiresAt - asked.now, asked.durationSeconds * 1000)
  return { accessKey, secretKey, sessionToken, expiresAt, endsAt: asked.monotonic + lengthMs }
}

/**
 * How a session stands to the milliseconds that are needed of it. `doubtful` when the clocks disagree: the date says
 * that it is over, the time that has passed says that it is not. Either somebody set the clock and the session lives,
 * or the machine slept and it does not.
 */
export function standing(session: Session, needMs: number, clock: Clock): 'live' | 'doubtful' | 'over' {
  if (session.endsAt - clock.monotonic() < needMs) return 'over'
  return session.expiresAt - clock.now() < needMs ? 'doubtful' : 'live'
}
