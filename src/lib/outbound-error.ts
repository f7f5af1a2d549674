import { errors } from 'undici'

/**
 * Why an outbound call brought no usable answer. `network`: refused, not reached in time, reset, unknown host, cut off.
 * `proxy`: the proxy did not connect us.
 */
export type OutboundFailure = 'timeout' | 'network' | 'too_large' | 'proxy'

/** An outbound call that failed. The message is fixed: undici's own may quote what was sent. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError'
  readonly failure: OutboundFailure
  /** undici's or Node's, such as `ECONNREFUSED`; at the proxy `PROXY_ECONNREFUSED` or `PROXY_STATUS_407`. */
  readonly code: string

  constructor(failure: OutboundFailure, code: string) {
    super(`outbound call failed: ${failure} (${code})`)
    this.failure = failure
    this.code = code
  }
}

/** As Node, OpenSSL and undici write their codes. */
const CODE = /^[A-Z][A-Z0-9_]{2,63}$/u

/** The same failure without anything that was sent. */
export function outboundError(error: unknown): OutboundError {
  if (error instanceof OutboundError) return error
  const named = error instanceof Error && 'code' in error ? String(error.code) : ''
  const code = CODE.test(named) ? named : 'unknown'
  if (error instanceof errors.ResponseExceededMaxSizeError) return new OutboundError('too_large', code)
  const timedOut =
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    (error instanceof Error && error.name === 'TimeoutError')
  return timedOut
    ? new OutboundError('timeout', code === 'unknown' ? 'TIMEOUT' : code)
    : new OutboundError('network', code)
}
