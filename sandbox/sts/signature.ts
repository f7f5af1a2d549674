import { createHash, createHmac } from 'node:crypto'

/** JDCLOUD2-HMAC-SHA256, or JDCLOUD3-HMAC-SHA256, with which only the newer Python SDKs sign. */
export type Version = 2 | 3

/** The parts of a request that a signature covers. */
export type Signable = Readonly<{
  version: Version
  method: string
  /** As received, without the query. */
  path: string
  /** As in the signature: sorted and percent-encoded. */
  query?: string
  /** Lower-case name and value, sorted by name. */
  headers: readonly (readonly [name: string, value: string])[]
  body: string | Buffer
  /** `YYYYMMDDTHHmmssZ` */
  date: string
  region: string
  service: string
}>

/**
 * The signature in lower-case hexadecimal: Amazon's Signature Version 4 with JD Cloud's names. It shares no code with
 * the service's signer, so that a fault in either one is visible.
 */
export function signatureOf(request: Signable, secretKey: string): string {
  const { version, method, path, query = '', headers, body, date, region, service } = request
  // The SDKs that sign with JDCLOUD3 leave the blanks within a value as they are.
  const canonical = (value: string) => (version === 2 ? value.trim().replace(/\s+/gu, ' ') : value.trim())
  const canonicalRequest = [
    method,
    canonicalPath(path),
    query,
    ...headers.map(([name, value]) => `${name}:${canonical(value)}`),
    '',
    headers.map(([name]) => name).join(';'),
    sha256(body),
  ].join('\n')

  const scope = [date.slice(0, 8), region, service, `jdcloud${version}_request`]
  const stringToSign = [`JDCLOUD${version}-HMAC-SHA256`, date, scope.join('/'), sha256(canonicalRequest)].join('\n')
  const signingKey = scope.reduce<Buffer>(hmac, Buffer.from(`JDCLOUD${version}${secretKey}`))
  return hmac(signingKey, stringToSign).toString('hex')
}

/** Decoded, with repeated slashes folded, and encoded again. A colon becomes `%3A`, as in all SDKs. */
function canonicalPath(path: string): string {
  const decoded = `/${decodeURIComponent(path.replaceAll('+', ' '))}`.replace(/\/+/gu, '/')
  return encodeURIComponent(decoded)
    .replaceAll('%2F', '/')
    .replace(/[!'()*]/gu, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** Lower-case hexadecimal. */
export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
