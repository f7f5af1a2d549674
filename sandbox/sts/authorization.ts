import { Refusal } from './refusals.ts'

/** The contents of a JDCLOUD2-HMAC-SHA256 `Authorization` header. */
export type Authorization = Readonly<{
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
  /^JDCLOUD2-HMAC-SHA256 +Credential=([^\s/,]+)\/(\d{8})\/([^\s/,]+)\/([^\s/,]+)\/jdcloud2_request, *SignedHeaders=([^\s,]+), *Signature=([0-9a-f]{64})$/u

/** Without these, a request could be replayed elsewhere or for ever. */
const REQUIRED = ['host', 'x-jdcloud-date', 'x-jdcloud-nonce']

/**
 * Parses the header. Nothing of it is verified yet.
 *
 * @throws Refusal `signatureIncomplete` if the header is malformed or does not sign host, date and nonce;
 *   `headerIllegal` if it signs a header that is never signed
 */
export function parseAuthorization(header: string): Authorization {
  const match = SHAPE.exec(header)
  if (!match) throw new Refusal('signatureIncomplete')
  const [, accessKey = '', day = '', region = '', service = '', names = '', signature = ''] = match
  const signedHeaders = names.split(';')
  const canonical = [...new Set(signedHeaders.map((name) => name.toLowerCase()))].sort().join(';')
  if (names !== canonical || !REQUIRED.every((name) => signedHeaders.includes(name))) {
    throw new Refusal('signatureIncomplete')
  }
  if (signedHeaders.some((name) => UNSIGNABLE.has(name))) throw new Refusal('headerIllegal')
  return { accessKey, day, region, service, signedHeaders, signature }
}

/** JD Cloud never signs these. */
const UNSIGNABLE: ReadonlySet<string> = new Set(['authorization', 'user-agent'])
