import { VendError } from '../errors.ts'

/** Why a vend did not reach STS: the breaker is open, no turn in time, the rate is used up, another replica is asking. */
export type ShedReason = 'breaker' | 'queue' | 'rate' | 'lease'

/**
 * A vend that was turned away without a call to STS, and when to ask again. Callers see `upstream_unavailable` with a
 * Retry-After; inside this folder a refresh that was shed counts as postponed, and no new session is counted for it.
 */
export class Shed extends VendError {
  readonly reason: ShedReason
  readonly waitMs: number

  constructor(reason: ShedReason, waitMs: number) {
    super('upstream_unavailable', {
      retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
      log: { upstream: { reason: `shed by ${reason}` } },
    })
    this.reason = reason
    this.waitMs = waitMs
  }
}
