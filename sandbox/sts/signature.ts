import { createHash, createHmac } from 'node:crypto'

/** The parts of a request that a JDCLOUD2-HMAC-SHA256 signature covers. */
export type Signable = Readonly<{
  method: string
  /** As in the signature: colons are percent-encoded. */
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
  const { method, path, query = '', headers, body, date, region, service } = request
  const canonicalRequest = [
    method,
    path,
    query,
    ...headers.map(([name, value]) => `${name}:${value.trim().replace(/\s+/gu, ' ')}`),
    '',
    headers.map(([name]) => name).join(';'),
    sha256(body),
  ].join('\n')

  const scope = [date.slice(0, 8), region, service, 'jdcloud2_request']
  const stringToSign = ['JDCLOUD2-HMAC-SHA256', date, scope.join('/'), sha256(canonicalRequest)].join('\n')
  const signingKey = scope.reduce<Buffer>(hmac, Buffer.from(`JDCLOUD2${secretKey}`))
  return hmac(signingKey, stringToSign).toString('hex')
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
