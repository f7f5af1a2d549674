import { type ErrorDetails, OssError } from './errors.ts'
import type { OssRequest } from './request.ts'

/** The claims of a request about its signature. Nothing of them is verified yet. */
export type Claim = Readonly<{
  accessKey: string
  sessionToken: string | undefined
  /** `YYYYMMDDTHHmmssZ`, and the same in epoch milliseconds. */
  date: string
  signedAt: number
  region: string
  /** 64 lower-case hexadecimal digits. */
  signature: string
}>

/** The claim of a request that is signed as a whole. */
export type RequestClaim = Claim &
  Readonly<{
    signedHeaders: ReadonlySet<string>
    /** The hash of the payload, as the signature contains it. */
    payloadHash: string
    /** Lifetime of a presigned URL. */
    expiresSeconds: number | undefined
  }>

/** The four texts that every form of the signature contains, each in its own place. */
type Parts = { algorithm: string; credential: string; date: string; signature: string }

/** Makes the error for the place of the claim. */
type Malformed = (message?: string, details?: ErrorDetails) => OssError

const ALGORITHM = 'AWS4-HMAC-SHA256'
const MAX_EXPIRES_SECONDS = 604_800
const AUTHORIZATION = /^(\S+) +Credential=([^\s,]+) *, *SignedHeaders=([^\s,]+) *, *Signature=([^\s,]+)$/u

/**
 * Reads the claim from the `Authorization` header or from a presigned query.
 *
 * @throws OssError AccessDenied without a claim; AuthorizationHeaderMalformed or AuthorizationQueryParametersError for
 *   a malformed claim, or one for another day, region or service
 */
export function readClaim(request: OssRequest, region: string): RequestClaim {
  if (request.auth === 'none') throw new OssError('AccessDenied')
  return request.auth === 'header' ? readHeaderClaim(request, region) : readQueryClaim(request, region)
}

function readHeaderClaim({ headers }: OssRequest, region: string): RequestClaim {
  const malformed: Malformed = (message, details) => new OssError('AuthorizationHeaderMalformed', message, details)
  const authorization = headers.get('authorization') ?? ''
  if (!authorization.startsWith('AWS4-')) {
    throw new OssError('InvalidRequest', `The authorization mechanism is not supported. Please use ${ALGORITHM}.`)
  }
  const [, algorithm = '', credential = '', names = '', signature = ''] = AUTHORIZATION.exec(authorization) ?? []
  const date = headers.get('x-amz-date')
  if (date === undefined) throw new OssError('AccessDenied', 'AWS authentication requires a valid x-amz-date header')
  const payloadHash = headers.get('x-amz-content-sha256')
  if (payloadHash === undefined) {
    throw new OssError('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256')
  }
  return {
    ...readParts({ algorithm, credential, date, signature }, region, malformed),
    sessionToken: headers.get('x-amz-security-token'),
    signedHeaders: new Set(names.split(';')),
    payloadHash: checkPayloadHash(payloadHash),
    expiresSeconds: undefined,
  }
}

function readQueryClaim({ headers, wire: { query, ...wire } }: OssRequest, region: string): RequestClaim {
  const malformed: Malformed = (message, details) => new OssError('AuthorizationQueryParametersError', message, details)
  const parameter = (name: string) => {
    const value = query.get(name)
    if (value === undefined) throw malformed(`The query parameter ${name} is missing.`)
    return value
  }
  const expires = parameter('X-Amz-Expires')
  const expiresSeconds = /^\d{1,6}$/u.test(expires) ? Number(expires) : 0
  if (expiresSeconds < 1 || expiresSeconds > MAX_EXPIRES_SECONDS) {
    throw malformed(`X-Amz-Expires must be a number of seconds from 1 to ${MAX_EXPIRES_SECONDS}.`)
  }
  const parts = {
    algorithm: parameter('X-Amz-Algorithm'),
    credential: parameter('X-Amz-Credential'),
    date: parameter('X-Amz-Date'),
    signature: parameter('X-Amz-Signature'),
  }
  return {
    ...readParts(parts, region, malformed),
    sessionToken: query.get('X-Amz-Security-Token') ?? wire.headers.get('x-amz-security-token'),
    signedHeaders: new Set(parameter('X-Amz-SignedHeaders').split(';')),
    payloadHash: checkPayloadHash(headers.get('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD'),
    expiresSeconds,
  }
}

/**
 * Reads the claim from the fields of a form.
 *
 * @throws OssError AccessDenied if a field is missing; AuthorizationHeaderMalformed as for a header
 */
export function readFormClaim(fields: ReadonlyMap<string, string>, region: string): Claim {
  const field = (name: string) => {
    const value = fields.get(name)
    if (value === undefined) throw new OssError('AccessDenied', `The form field ${name} is missing.`)
    return value
  }
  const parts = {
    algorithm: field('x-amz-algorithm'),
    credential: field('x-amz-credential'),
    date: field('x-amz-date'),
    signature: field('x-amz-signature'),
  }
  const malformed: Malformed = (message, details) => new OssError('AuthorizationHeaderMalformed', message, details)
  return { ...readParts(parts, region, malformed), sessionToken: fields.get('x-amz-security-token') }
}

function readParts(
  { algorithm, credential, date, signature }: Parts,
  region: string,
  malformed: Malformed,
): Omit<Claim, 'sessionToken'> {
  const [, accessKey, day, scopeRegion, service] =
    /^([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/u.exec(credential) ?? []
  if (algorithm !== ALGORITHM || accessKey === undefined || !/^[0-9a-f]{64}$/u.test(signature)) throw malformed()
  // Some clients learn the region from this answer, and try again.
  if (scopeRegion !== region)
    throw malformed(`The region '${scopeRegion}' is wrong; expecting '${region}'`, { Region: region })
  if (service !== 's3') throw malformed("The service is wrong; expecting 's3'.")
  const signedAt = parseDate(date)
  if (Number.isNaN(signedAt)) throw malformed('The date is not of the form YYYYMMDDTHHmmssZ.')
  if (day !== date.slice(0, 8)) throw malformed("The scope's day is not the day of the request.")
  return { accessKey, date, signedAt, region, signature }
}

/** NaN for an invalid date. `Date.parse` alone would read February 30 as a day in March. */
function parseDate(text: string): number {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u, '$1-$2-$3T$4:$5:$6.000Z')
  const epochMs = Date.parse(iso)
  return !Number.isNaN(epochMs) && new Date(epochMs).toISOString() === iso ? epochMs : Number.NaN
}

function checkPayloadHash(text: string): string {
  if (/^(?:[0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-[A-Z0-9-]{1,64})$/u.test(text)) return text
  throw new OssError('InvalidArgument', 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a valid sha256 value.')
}
