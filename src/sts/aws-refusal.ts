import { z } from 'zod'
import { VendError } from '../errors.ts'
import type { OutboundResponse } from '../lib/outbound.ts'
import type { SigningKeys } from '../lib/signature-v4.ts'
import { readXml } from './aws-xml.ts'
import { hasPartOf } from './key-parts.ts'
import { mayPass, refused } from './upstream.ts'

/** Refusals that pass. AWS throttles with the status 400. */
const PASSING: ReadonlySet<string> = new Set([
  'RequestLimitExceeded',
  'RequestTimeout',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
])
/** The policy is too large for STS, which packs it: that is the caller's, and no fault of ours. */
const TOO_LARGE = 'PackedPolicyTooLarge'
/**
 * The codes that AWS, Ceph and MinIO document. Only these are told, and no messages: a message may quote what was sent, such
 * as the whole string to sign.
 */
const CODES: ReadonlySet<string> = new Set([
  ...PASSING,
  TOO_LARGE,
  'AccessDenied',
  'AccessDeniedException',
  'ExpiredToken',
  'IncompleteSignature',
  'InternalError',
  'InternalFailure',
  'InvalidAccessKeyId',
  'InvalidAction',
  'InvalidArgument',
  'InvalidClientTokenId',
  'InvalidParameterCombination',
  'InvalidParameterValue',
  'MalformedPolicyDocument',
  'MalformedQueryString',
  'MethodNotAllowed',
  'MissingAction',
  'MissingAuthenticationToken',
  'MissingParameter',
  'NoSuchEntity',
  'NotImplemented',
  'OptInRequired',
  'RegionDisabledException',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'ServiceUnavailable',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
  'ValidationError',
])

/** Request ids: a UUID of AWS, Ceph's with its zone, 16 hex digits of MinIO. */
const REQUEST_ID =
  /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|tx[0-9a-f]{20,24}-[0-9a-f]{8,16}-[0-9a-f]{1,16}-[\w-]{1,32}|[0-9A-F]{16})$/u

const text = z.string().optional().catch(undefined)
const error = z.looseObject({ Code: text, RequestId: text }).optional().catch(undefined)
const failureSchema = z.looseObject({
  /** AWS and MinIO. */
  ErrorResponse: z.looseObject({ Error: error, RequestId: text }).optional().catch(undefined),
  /** Ceph, as S3 does. */
  Error: error,
})

/** An answer by which STS refuses, as an error whose log has the code and the request id, and no part of these keys. */
export function awsRefusal(response: OutboundResponse, keys: readonly SigningKeys[]): VendError {
  const parsed = failureSchema.catch({}).parse(readXml(response.body))
  const found = parsed.ErrorResponse?.Error ?? parsed.Error
  const requestId = parsed.ErrorResponse?.RequestId ?? found?.RequestId
  const told = requestId !== undefined && REQUEST_ID.test(requestId) && !hasPartOf(keys, requestId)
  const code = found?.Code
  const cause = {
    requestId: told ? requestId : undefined,
    reason: code === undefined ? undefined : CODES.has(code) ? code : 'other',
  }
  if (code === TOO_LARGE) {
    return new VendError('policy_too_large', { log: { upstream: { status: response.status, ...cause } } })
  }
  return refused(response, cause, mayPass(response.status) || (code !== undefined && PASSING.has(code)))
}
