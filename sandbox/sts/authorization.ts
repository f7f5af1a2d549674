import { Refusal } from './refusals.ts'

/** What a JDCLOUD2-HMAC-SHA256 `Authorization` header claims. */
export type Authorization = Readonly<{
  accessKey: string
  /** The scope's day, `YYYYMMDD`. */
  day: string
  region: string
  service: string
  /** Lower case, sorted, without repetition. */
  signedHeaders: readonly string[]
  /** 64 lower-case hexadecimal digits. */
  signature: string
}>

const SHAPE =
  /^JDCLOUD2-HMAC-SHA256 +Credential=([^\s/,]+)\/(\d{8})\/([^\s/,]+)\/([^\s/,]+)\/jdcloud2_request, *SignedHeaders=([^\s,]+), *Signature=([0-9a-f]{64})$/u

/** Without these a request could be replayed elsewhere, or for ever. */
const REQUIRED = ['host', 'x-jdcloud-date', 'x-jdcloud-nonce']

/**
 * Reads the header's claims without believing any of them.
 *
 * @throws Refusal `signatureIncomplete` when the header is malformed or signs less than host, date and nonce;
 *   `headerIllegal` when it signs what is never signed.
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
