import { Refusal } from './refusals.ts'
import type { Version } from './signature.ts'

/** The contents of an `Authorization` header. */
export type Authorization = Readonly<{
  version: Version
  accessKey: string
  /** The day of the scope, `YYYYMMDD`. */
  day: string
  region: string
  service: string
  /** Lower case, sorted, without duplicates. */
  signedHeaders: readonly string[]
  /** 64 lower-case hexadecimal digits. */
  signature: string
}>

const SHAPE =
  /^JDCLOUD([23])-HMAC-SHA256 +Credential=([^\s/,]+)\/(\d{8})\/([^\s/,]+)\/([^\s/,]+)\/jdcloud\1_request, *SignedHeaders=([^\s,]+), *Signature=([0-9a-f]{64})$/u

/**
 * Without the host, a request could be replayed elsewhere. The date is a part of each signature. The nonce is not, so
 * JDCLOUD2 signs it; the SDKs that sign with JDCLOUD3 leave out both.
 */
const REQUIRED: Readonly<Record<Version, readonly string[]>> = {
  2: ['host', 'x-jdcloud-date', 'x-jdcloud-nonce'],
  3: ['host'],
}

/**
 * Parses the header. Nothing of it is verified yet.
 *
 * @throws Refusal `signatureIncomplete` if the header is malformed or does not sign what its version must sign;
 *   `headerIllegal` if it signs a header that is never signed
 */
export function parseAuthorization(header: string): Authorization {
  const match = SHAPE.exec(header)
  if (!match) throw new Refusal('signatureIncomplete')
  const [, digit, accessKey = '', day = '', region = '', service = '', names = '', signature = ''] = match
  const version = digit === '3' ? 3 : 2
  const signedHeaders = names.split(';')
  const canonical = [...new Set(signedHeaders.map((name) => name.toLowerCase()))].sort().join(';')
  if (names !== canonical || !REQUIRED[version].every((name) => signedHeaders.includes(name))) {
    throw new Refusal('signatureIncomplete')
  }
  if (signedHeaders.some((name) => UNSIGNABLE.has(name))) throw new Refusal('headerIllegal')
  return { version, accessKey, day, region, service, signedHeaders, signature }
}

/** JD Cloud never signs these. */
const UNSIGNABLE: ReadonlySet<string> = new Set(['authorization', 'user-agent'])
