import t from 'tap'
import { refusalOf } from '../../../src/cli/doctor/refusals.ts'
import { VendError } from '../../../src/errors.ts'

const denied = (status: number, reason?: string) =>
  new VendError('upstream_denied', { log: { upstream: { status, ...(reason !== undefined && { reason }) } } })

t.test('what STS refuses is told apart', async (t) => {
  const rows: readonly (readonly [error: VendError, about: string, why: RegExp])[] = [
    [denied(401, 'APIGW_KEY_NOT_EXITST'), 'keys', /does not know the access key \(APIGW_KEY_NOT_EXITST, 401\)/u],
    [denied(401, 'APIGW_SIGN_RESULT_NOT_SAME'), 'keys', /secret key does not belong/u],
    [denied(401, 'UNAUTHENTICATED'), 'keys', /refuses the signature/u],
    [denied(401, 'other'), 'keys', /does not accept the signature \(other, 401\)/u],
    [denied(403, 'APIGW_ROLE_NOT_ALLOWED'), 'keys', /temporary keys/u],
    [denied(403, 'APIGW_CHILD_ACCOUNT_NOT_ALLOWED'), 'role', /sub-user may not assume the role/u],
    [denied(403, 'HTTP_FORBIDDEN'), 'role', /does not trust/u],
    [denied(403), 'request', /refuses the keys or the role \(403\)/u],
    [denied(403, 'constructor'), 'request', /refuses the keys or the role/u],
    [denied(404, 'NOT_FOUND'), 'role', /no such role/u],
    [denied(400, 'OUT_OF_RANGE'), 'length', /no session of this length/u],
    [denied(400, 'INVALID_ARGUMENT'), 'request', /refuses the request \(INVALID_ARGUMENT, 400\)/u],
    [denied(403, 'InvalidClientTokenId'), 'keys', /does not know the access key/u],
    [denied(403, 'SignatureDoesNotMatch'), 'keys', /secret key does not belong/u],
    [denied(403, 'RequestTimeTooSkewed'), 'keys', /refuses the signature/u],
    [denied(403, 'AccessDenied'), 'request', /refuses the keys or the role/u],
    [denied(404, 'NoSuchEntity'), 'role', /no such role/u],
    [new VendError('policy_too_large'), 'request', /too large for STS/u],
    [new VendError('upstream_timeout'), 'unanswered', /did not answer in time/u],
    [new VendError('upstream_unavailable'), 'unanswered', /no answer that can be used/u],
  ]
  for (const [error, about, why] of rows) {
    const refusal = refusalOf(error)
    t.match(refusal, { about, why }, String(why))
    t.ok(refusal.remedy.length > 20)
  }
})

t.test('the id of a refused request is told, for the support of the cloud', async (t) => {
  const upstream = { status: 404, reason: 'NOT_FOUND', requestId: '5a4db0c5-7e1f-4d6b-9c83-2f1e6a97fa17' }
  const { why } = refusalOf(new VendError('upstream_denied', { log: { upstream } }))
  t.match(why, /\(NOT_FOUND, 404, request 5a4db0c5-7e1f-4d6b-9c83-2f1e6a97fa17\)/u)
})

t.test('an error of another kind is not taken for an answer', async (t) => {
  t.throws(() => refusalOf(new TypeError('x')), TypeError)
})
