import { z } from 'zod'
import type { ErrorCode, VendError } from '../src/errors.ts'
import { readToken } from '../src/identity/token.ts'

/** The one media type of the Query API. */
export const FORM = 'application/x-www-form-urlencoded'

/** `message` where the common one speaks of another dialect. */
export type Fault = Readonly<{ status: number; code: string; message?: string }>

/** How STS says what this service means. */
export const FAULTS: Readonly<Record<ErrorCode, Fault>> = {
  unauthenticated: { status: 400, code: 'InvalidIdentityToken', message: 'The token is not valid' },
  caller_denied: { status: 403, code: 'AccessDenied' },
  policy_not_allowed: { status: 403, code: 'AccessDenied' },
  key_not_allowed: { status: 403, code: 'AccessDenied' },
  policy_not_found: { status: 403, code: 'AccessDenied' },
  not_found: { status: 404, code: 'InvalidAction' },
  method_not_allowed: { status: 405, code: 'InvalidAction' },
  invalid_request: { status: 400, code: 'ValidationError' },
  payload_too_large: { status: 400, code: 'ValidationError' },
  unsupported_media_type: { status: 400, code: 'ValidationError', message: `The request body must be ${FORM}` },
  unsafe_value: { status: 403, code: 'IDPRejectedClaim' },
  policy_too_large: { status: 400, code: 'PackedPolicyTooLarge' },
  rate_limited: { status: 400, code: 'Throttling' },
  internal_error: { status: 500, code: 'InternalFailure' },
  upstream_denied: { status: 500, code: 'InternalFailure' },
  upstream_unavailable: { status: 503, code: 'ServiceUnavailable' },
  not_ready: { status: 503, code: 'ServiceUnavailable' },
  overloaded: { status: 503, code: 'ServiceUnavailable' },
  upstream_timeout: { status: 503, code: 'ServiceUnavailable' },
}
const EXPIRED: Fault = { status: 400, code: 'ExpiredTokenException', message: 'The token is expired' }
/** And what it says of some fields. A policy that is not understood is refused, never left out: the session would open too much. */
const FIELD_FAULTS: readonly (readonly [field: RegExp, code: string])[] = [
  [/^\/Action$/u, 'InvalidAction'],
  [/^\/Version$/u, 'NoSuchVersion'],
  [/^\/Policy/u, 'MalformedPolicyDocument'],
]

/** How STS says an error. `body` is the form, as far as it was read. */
export function faultOf(error: VendError, body: unknown, now: number): Fault {
  const fault = FAULTS[error.code]
  if (error.code === 'unauthenticated') return isOver(body, now) ? EXPIRED : fault
  if (error.code !== 'invalid_request') return fault
  const pointers = error.errors?.map(({ pointer }) => pointer) ?? []
  const [, code = fault.code] = FIELD_FAULTS.find(([field]) => pointers.some((pointer) => field.test(pointer))) ?? []
  return { ...fault, code }
}

/**
 * Whether a token says of itself that it is over, which its sender can read there, too: nothing is told of what was
 * checked. SDKs try again with a token that is only not valid.
 */
function isOver(body: unknown, now: number): boolean {
  const { data } = z.looseObject({ WebIdentityToken: z.string() }).safeParse(body)
  const exp = readToken(data?.WebIdentityToken.trim() ?? '')?.payload.exp
  return typeof exp === 'number' && exp * 1000 <= now
}
