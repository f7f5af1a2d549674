import { VendError } from '../errors.ts'
import type { Caller } from '../identity/caller.ts'
import type { Session } from '../sessions/session.ts'

/**
 * Lengths of sessions are cut to whole quarters of an hour. The length is a part of what sessions are cached by, so that
 * one by the second would make every vend a call to STS.
 */
const GRAIN_SECONDS = 900

/** What a vend may take, by which its session begins later than the token was looked at, and what clocks may be apart. */
const MARGIN_SECONDS = 60

/** The longest session, in seconds, that surely ends no later than the caller's token does. It may be less than STS has. */
export function mostSecondsFor({ expiresAt }: Pick<Caller, 'expiresAt'>, now: number): number {
  const left = (expiresAt - now) / 1000 - MARGIN_SECONDS
  return Math.max(0, Math.floor(left / GRAIN_SECONDS) * GRAIN_SECONDS)
}

/**
 * The length alone already bounds a session, which began before now. Checked all the same, since STS could have given a
 * longer one than it was asked for.
 * @throws {VendError} `upstream_unavailable`
 */
export function mustEndWithToken(session: Session, { expiresAt }: Pick<Caller, 'expiresAt'>): void {
  if (session.expiresAt <= expiresAt) return
  throw new VendError('upstream_unavailable', {
    retryAfterSeconds: 60,
    log: { upstream: { reason: 'session outlives the token' } },
  })
}
