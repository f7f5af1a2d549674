import type { TargetField } from '../../config/targets.ts'
import { VendError } from '../../errors.ts'

/** What STS refuses by an answer: the keys, the role, the length of the session, or the rest of the request. */
type About = 'keys' | 'role' | 'length' | 'request'

/** Why STS did not give a session. `unanswered` means that nothing is known about keys or role. */
export type Refusal = Readonly<{
  about: About | 'unanswered'
  why: string
  remedy: string
  fields: readonly TargetField[]
}>

const IAM = 'in the IAM console'
const CLOCK = 'compare the clock of this machine with the time (NTP), then check both keys'
const UNKNOWN_KEY: Words = {
  about: 'keys',
  why: 'STS does not know the access key',
  remedy: `set the access key of the sub-user that may assume the role, or create a new pair ${IAM}`,
  fields: ['accessKey'],
}
const WRONG_SECRET: Words = {
  about: 'keys',
  why: 'the signature is wrong: the secret key does not belong to the access key',
  remedy: `set the secret key that belongs to the access key, or create a new pair ${IAM}`,
  fields: ['secretKey', 'signHost'],
}
const WRONG_DATE: Words = { about: 'keys', why: 'STS refuses the signature', remedy: CLOCK, fields: [] }
const TEMPORARY: Words = {
  about: 'keys',
  why: 'STS gives no sessions to temporary keys',
  remedy: 'set the long-lived keys of the sub-user',
  fields: ['accessKey'],
}
const NO_ROLE: Words = {
  about: 'role',
  why: 'there is no such role',
  remedy: 'correct the name of the role and the account, or create the role',
  fields: ['role', 'account'],
}
const NOT_TRUSTED: Words = {
  about: 'role',
  why: 'the role does not trust the sub-user, or the sub-user may not assume it',
  remedy: 'add the sub-user to the trust policy of the role, and allow sts:assumeRole on the role to the sub-user',
  fields: ['role'],
}
const NOT_PERMITTED: Words = {
  about: 'role',
  why: 'the sub-user may not assume the role',
  remedy: 'attach a policy to the sub-user that allows sts:assumeRole on the role',
  fields: ['role'],
}
/** Ceph says the same to a wrong secret key as to a role that does not trust us. */
const KEYS_OR_ROLE: Words = {
  about: 'request',
  why: 'STS refuses the keys or the role',
  remedy: 'check both keys, that the sub-user may assume the role, and that the role trusts it',
  fields: ['accessKey', 'secretKey', 'role'],
}
const TOO_LONG: Words = {
  about: 'length',
  why: 'STS gives no session of this length',
  remedy: 'raise the maximum session duration of the role, or lower this setting to it',
  fields: ['maxSessionSeconds'],
}

type Words = Refusal

/** By STS's word for the refusal: JD Cloud's, then those of AWS, Ceph and MinIO. */
const REASONS: Readonly<Record<string, Words>> = {
  APIGW_KEY_NOT_EXITST: UNKNOWN_KEY,
  APIGW_SIGN_RESULT_NOT_SAME: WRONG_SECRET,
  APIGW_ROLE_NOT_ALLOWED: TEMPORARY,
  APIGW_CHILD_ACCOUNT_NOT_ALLOWED: NOT_PERMITTED,
  UNAUTHENTICATED: WRONG_DATE,
  HTTP_FORBIDDEN: NOT_TRUSTED,
  PERMISSION_DENIED: NOT_TRUSTED,
  NOT_FOUND: NO_ROLE,
  OUT_OF_RANGE: TOO_LONG,
  InvalidAccessKeyId: UNKNOWN_KEY,
  InvalidClientTokenId: UNKNOWN_KEY,
  UnrecognizedClientException: UNKNOWN_KEY,
  SignatureDoesNotMatch: WRONG_SECRET,
  IncompleteSignature: WRONG_SECRET,
  RequestExpired: WRONG_DATE,
  RequestTimeTooSkewed: WRONG_DATE,
  AccessDenied: KEYS_OR_ROLE,
  AccessDeniedException: NOT_TRUSTED,
  NoSuchEntity: NO_ROLE,
}

/**
 * What a failed AssumeRole says.
 * @throws whatever is not an error of STS
 */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof VendError)) throw error
  const told = Object(error.log?.upstream)
  const [reason, status, requestId] = [textOf(told.reason), told.status, textOf(told.requestId)]
  const marks = [reason, status, requestId && `request ${requestId}`].filter((mark) => mark !== undefined)
  const words = error.code === 'upstream_denied' ? deniedWords(reason, status) : undecidedWords(error)
  return { ...words, why: marks.length > 0 ? `${words.why} (${marks.join(', ')})` : words.why }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)

function deniedWords(reason = '', status: unknown): Words {
  const known = Object.hasOwn(REASONS, reason) ? REASONS[reason] : undefined
  if (known) return known
  if (status === 401) return { ...WRONG_SECRET, why: 'STS does not accept the signature', remedy: CLOCK }
  if (status === 403) return KEYS_OR_ROLE
  const remedy = 'look the reason up in the documentation of STS; JD Cloud support finds the call by its request id'
  return { about: 'request', why: 'STS refuses the request', remedy, fields: [] }
}

function undecidedWords({ code }: VendError): Words {
  if (code === 'policy_too_large') {
    const remedy = 'merge statements or shorten folders: STS packs policies, and this one is over its limit'
    return { about: 'request', why: 'the session policy is too large for STS', remedy, fields: [] }
  }
  const late = code === 'upstream_timeout'
  return {
    about: 'unanswered',
    why: late ? 'STS did not answer in time' : 'STS gave no answer that can be used',
    remedy: 'run the doctor again; if it stays so, check who answers at this address, and the status page of the cloud',
    fields: ['stsEndpoint'],
  }
}
