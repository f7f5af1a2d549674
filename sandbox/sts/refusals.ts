/**
 * Every refusal of the sandbox's STS. The status strings are from the error tables of JD Cloud's API gateway (which
 * spells `APIGW_KEY_NOT_EXITST` so). The tables have none for a stale date, a wrong method or a too large body, so
 * these use the closest name. Messages are fixed: none repeats a part of a request, a key or a policy.
 */
const REFUSALS = {
  pathUnknown: { code: 404, status: 'NOT_FOUND', message: 'There is no such API.' },
  methodNotAllowed: { code: 405, status: 'HTTP_METHOD_NOT_ALLOWED', message: 'This API is called with POST.' },
  bodyTooLarge: { code: 413, status: 'HTTP_REQUEST_ENTITY_TOO_LARGE', message: 'The request body is too large.' },
  signatureIncomplete: {
    code: 401,
    status: 'APIGW_LACK_PARAMS',
    message: 'The authorization, or a header that has to be signed, is missing or malformed.',
  },
  headerIllegal: {
    code: 401,
    status: 'APIGW_ILLEGAL_HEADER',
    message: 'A header that the signature rests on is repeated or cannot be signed.',
  },
  dateSkewed: {
    code: 401,
    status: 'UNAUTHENTICATED',
    message: 'The x-jdcloud-date header is more than 15 minutes away from now.',
  },
  scopeMismatch: {
    code: 401,
    status: 'UNAUTHENTICATED',
    message: 'The credential scope does not belong to this date or to this service.',
  },
  keyUnknown: { code: 401, status: 'APIGW_KEY_NOT_EXITST', message: 'There is no such access key.' },
  signatureMismatch: {
    code: 401,
    status: 'APIGW_SIGN_RESULT_NOT_SAME',
    message: 'The signature does not match the request.',
  },
  keyTemporary: { code: 403, status: 'APIGW_ROLE_NOT_ALLOWED', message: 'Temporary credentials cannot assume a role.' },
  nonceReused: { code: 403, status: 'APIGW_NONCE_CONFLICT', message: 'The x-jdcloud-nonce was used before.' },
  userNotPermitted: {
    code: 403,
    status: 'APIGW_CHILD_ACCOUNT_NOT_ALLOWED',
    message: "The user's policies do not allow sts:assumeRole on this role.",
  },
  userNotTrusted: { code: 403, status: 'HTTP_FORBIDDEN', message: 'The role does not trust this user.' },
  roleUnknown: { code: 404, status: 'NOT_FOUND', message: 'There is no such role.' },
  argumentInvalid: { code: 400, status: 'INVALID_ARGUMENT', message: 'The request body is invalid.' },
  durationOutOfRange: {
    code: 400,
    status: 'OUT_OF_RANGE',
    message: "durationSeconds must be between 3600 and the role's longest session.",
  },
  rateLimited: { code: 429, status: 'RATE_LIMIT_EXCEEDED', message: 'Too many requests.' },
  internal: { code: 500, status: 'INTERNAL', message: 'Internal error.' },
} as const

export type RefusalReason = keyof typeof REFUSALS

/** A request that STS refuses. `fields` names the faulty members of the body, never their values. */
export class Refusal extends Error {
  readonly reason: RefusalReason
  readonly fields: readonly string[]

  constructor(reason: RefusalReason, fields: readonly string[] = []) {
    super(REFUSALS[reason].message)
    this.reason = reason
    this.fields = fields
  }

  /** The HTTP status of the answer. */
  get httpStatus(): number {
    return REFUSALS[this.reason].code
  }

  /** JD Cloud's error document. `details` is absent if there are none. */
  document(requestId: string): string {
    const details = this.fields.map((field) => ({ field }))
    return JSON.stringify({
      requestId,
      error: { ...REFUSALS[this.reason], ...(details.length > 0 && { details }) },
    })
  }
}
