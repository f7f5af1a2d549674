/** Every error that a caller can see, with its HTTP status and fixed title. A code never changes its meaning. */
export const ERRORS = {
  unauthenticated: { status: 401, title: 'A valid bearer token is required' },
  caller_denied: { status: 403, title: 'This caller may not use this service' },
  policy_not_allowed: { status: 403, title: 'This policy is not for this caller' },
  key_not_allowed: { status: 403, title: 'The policy does not allow this operation on this key' },
  policy_not_found: { status: 404, title: 'No such policy' },
  not_found: { status: 404, title: 'No such resource' },
  method_not_allowed: { status: 405, title: 'This resource does not have this method' },
  invalid_request: { status: 400, title: 'The request is not valid' },
  payload_too_large: { status: 413, title: 'The request body is too large' },
  unsupported_media_type: { status: 415, title: 'The request body must be application/json' },
  unsafe_value: { status: 422, title: 'A value is not allowed in a policy' },
  policy_too_large: { status: 422, title: 'The filled-in policy is too large' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal_error: { status: 500, title: 'Internal error' },
  upstream_denied: { status: 502, title: 'The credential source refused this service' },
  upstream_unavailable: { status: 503, title: 'The credential source is not available' },
  not_ready: { status: 503, title: 'The service is not ready' },
  overloaded: { status: 503, title: 'The service is overloaded' },
  upstream_timeout: { status: 504, title: 'The credential source did not answer in time' },
} as const

export type ErrorCode = keyof typeof ERRORS

/** One fault of a request body: an RFC 6901 JSON pointer, and the fault at this place. */
export type BodyFault = Readonly<{ pointer: string; detail: string }>

/** One step of an RFC 6901 JSON pointer. */
export const pointerStep = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')

type Extras = Readonly<{
  /** Sent to the caller, below 500 only. It must not name accepted values, keys or anything of another caller. */
  detail?: string
  errors?: readonly BodyFault[]
  retryAfterSeconds?: number
  /** The methods that the resource has. */
  allow?: readonly string[]
  /** Written to the log with the request id, never sent to the caller. */
  log?: Readonly<Record<string, unknown>>
  /** Default: `error` from 500 up, and `info` below. */
  logLevel?: 'info'
  cause?: unknown
}>

/** The only error that callers see as it is. Any other error becomes `internal_error`. */
export class VendError extends Error {
  override readonly name = 'VendError'
  readonly code: ErrorCode
  readonly detail: string | undefined
  readonly errors: readonly BodyFault[] | undefined
  readonly retryAfterSeconds: number | undefined
  readonly allow: readonly string[] | undefined
  readonly log: Readonly<Record<string, unknown>> | undefined
  readonly logLevel: 'info' | 'error'

  constructor(code: ErrorCode, { detail, errors, retryAfterSeconds, allow, log, logLevel, cause }: Extras = {}) {
    super(ERRORS[code].title, { cause })
    this.code = code
    this.detail = detail
    this.errors = errors
    this.retryAfterSeconds = retryAfterSeconds
    this.allow = allow
    this.log = log
    this.logLevel = logLevel ?? (ERRORS[code].status >= 500 ? 'error' : 'info')
  }

  get status(): number {
    return ERRORS[this.code].status
  }
}
