import { z } from 'zod'
import type { SigningKeys } from '../lib/signature-v4.ts'
import { hasPartOf } from './key-parts.ts'

/**
 * The statuses in JD Cloud's error tables (`APIGW_KEY_NOT_EXITST` is spelled so there). Only these are told: anything else
 * that STS, or a gateway before it, writes in this place may quote what it was sent.
 */
const STATUSES: ReadonlySet<string> = new Set([
  'ABORTED',
  'ALREADY_EXISTS',
  'APIGW_CHILD_ACCOUNT_NOT_ALLOWED',
  'APIGW_ILLEGAL_HEADER',
  'APIGW_KEY_NOT_EXITST',
  'APIGW_LACK_PARAMS',
  'APIGW_NONCE_CONFLICT',
  'APIGW_ROLE_NOT_ALLOWED',
  'APIGW_SIGN_RESULT_NOT_SAME',
  'CANCELLED',
  'DATA_LOSS',
  'DEADLINE_EXCEEDED',
  'FAILED_PRECONDITION',
  'HTTP_FORBIDDEN',
  'HTTP_METHOD_NOT_ALLOWED',
  'HTTP_REQUEST_ENTITY_TOO_LARGE',
  'INTERNAL',
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'NOT_IMPLEMENTED',
  'OUT_OF_RANGE',
  'PERMISSION_DENIED',
  'QUOTA_EXCEEDED',
  'RATE_LIMIT_EXCEEDED',
  'RESOURCE_EXHAUSTED',
  'UNAUTHENTICATED',
  'UNAVAILABLE',
  'UNIMPLEMENTED',
  'UNKNOWN',
])

/** JD Cloud's request ids: 32 letters and digits, or a UUID. */
const REQUEST_ID = /^(?:[0-9a-z]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/u

const failureSchema = z.looseObject({
  requestId: z.string().optional().catch(undefined),
  error: z
    .looseObject({
      // An HTTP status, or a longer sub-code.
      code: z.int().min(100).max(99_999).optional().catch(undefined),
      status: z.string().optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
})

/**
 * What may be logged of an answer by which STS refuses. JD Cloud's support finds a request by its id alone, so the log has
 * it as it is. Access keys look like request ids: an id that has a part of one of these keys, also backwards, in hex or in
 * base64, is left out.
 */
export function describeRefusal(body: unknown, keys: readonly SigningKeys[]) {
  const { requestId, error } = failureSchema.catch({}).parse(body)
  const isId = requestId !== undefined && REQUEST_ID.test(requestId)
  return {
    requestId: isId && !hasPartOf(keys, requestId) ? requestId : undefined,
    code: error?.code,
    reason: error?.status === undefined ? undefined : STATUSES.has(error.status) ? error.status : 'other',
  }
}
