import type { z } from 'zod'
import { type ErrorCode, VendError } from '../src/errors.ts'
import { EXAMPLE_EXTRAS, EXAMPLE_REQUEST_ID } from '../src/http/problem.ts'
import { FAULTS } from './aws-sts-faults.ts'
import { assumedRoleSchema, assumedRoleXml, errorSchema, errorXml } from './aws-sts-xml.ts'
import { sentenceOf } from './vended.ts'

const EXAMPLE = assumedRoleXml({
  account: '111111111111',
  policy: 'user-upload',
  roleSessionName: 'user-upload@alice@@nightly-build',
  subject: 'alice',
  credentials: {
    accessKey: 'JDC_EXAMPLEEXAMPLEEXAMPLE0000000',
    secretKey: 'EXAMPLEEXAMPLEEXAMPLEEXAMPLE0000',
    sessionToken: 'example-session-token',
    expiration: '2026-01-01T01:00:00Z',
  },
  requestId: EXAMPLE_REQUEST_ID,
})
const xmlOf = (schema: z.ZodType, example: string, description: string) => ({
  description,
  content: { 'text/xml': { schema, example } },
})
const refusalOf = (code: ErrorCode, description: string) => {
  const { status, code: Code, message } = FAULTS[code]
  const sentence = sentenceOf(new VendError(code, EXAMPLE_EXTRAS[code]), EXAMPLE_REQUEST_ID, message)
  const fault = { sender: status < 500, code: Code, message: sentence, requestId: EXAMPLE_REQUEST_ID }
  return xmlOf(errorSchema, errorXml(fault), description)
}

/** The `response` part of the route's schema. */
export const ANSWERS = {
  200: xmlOf(assumedRoleSchema, EXAMPLE, 'Credentials.'),
  400: refusalOf(
    'unauthenticated',
    '`ValidationError`, `InvalidAction`, `NoSuchVersion`: the form is not valid. `InvalidIdentityToken`: the token is not valid. `ExpiredTokenException`: the token is expired. `MalformedPolicyDocument`: the `Policy` has no meaning here, or is wider than the policy. `PackedPolicyTooLarge`: the filled-in policy is too large. `Throttling`: too many requests.',
  ),
  403: refusalOf(
    'policy_not_allowed',
    '`AccessDenied`: there is no such policy, or it, or the whole service, is not for this caller. `IDPRejectedClaim`: a claim must not enter a policy.',
  ),
  500: refusalOf('internal_error', '`InternalFailure`: ask the operator.'),
  503: refusalOf('upstream_unavailable', '`ServiceUnavailable`: wait for `Retry-After`.'),
} as const
