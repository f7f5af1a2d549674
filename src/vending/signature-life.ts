import { VendError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Session } from '../sessions/session.ts'

/** When a signature begins and ends: epoch milliseconds, whole seconds. */
export type Life = Readonly<{ at: number; seconds: number; expiresAt: number }>

/**
 * The life of a signature: as long as asked, but never longer than a session of the caller's own, and never beyond the
 * session that signs, by either clock, nor beyond `tokenEndsAt`.
 * @throws {VendError} `policy_not_allowed` if the token, `upstream_unavailable` if the session ends within a second
 */
export function lifeOf(
  session: Pick<Session, 'endsAt' | 'expiresAt'>,
  limits: Readonly<{ askedSeconds: number; grantSeconds: number; tokenEndsAt: number }>,
  clock: Pick<Clock, 'now' | 'monotonic'>,
): Life {
  const now = clock.now()
  const at = Math.floor(now / 1000) * 1000
  const until = (endsAt: number) => Math.floor((endsAt - at) / 1000)
  const tokenSeconds = until(limits.tokenEndsAt)
  if (tokenSeconds < 1) throw new VendError('policy_not_allowed', { detail: TOKEN_ENDS_TOO_SOON })
  const sessionEndsAt = Math.min(session.expiresAt, now + session.endsAt - clock.monotonic())
  const seconds = Math.min(limits.askedSeconds, limits.grantSeconds, tokenSeconds, until(sessionEndsAt))
  if (seconds >= 1) return { at, seconds, expiresAt: at + seconds * 1000 }
  throw new VendError('upstream_unavailable', {
    retryAfterSeconds: 1,
    log: { upstream: { reason: 'the session of signatures has ended' } },
  })
}

const TOKEN_ENDS_TOO_SOON = 'claim "exp" is too near: nothing that is signed may be valid after its token'
