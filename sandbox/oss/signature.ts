import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Claim, RequestClaim } from './claim.ts'
import { encodePath, encodePercent } from './percent.ts'
import type { OssRequest } from './request.ts'

/**
 * Whether the claimed signature is correct for this request and secret key. It is Signature Version 4 from AWS's
 * description, without the library of the service, so that a fault in either one is visible.
 */
export function isSignedWith(secretKey: string, request: OssRequest, claim: RequestClaim): boolean {
  const { headers } = request.wire
  // An unsigned host could be any host.
  if (!claim.signedHeaders.has('host') || !headers.get('host')) return false
  for (const name of claim.signedHeaders) if (!headers.has(name)) return false
  const canonical = canonicalRequest(request, claim)
  const scope = scopeOf(claim).join('/')
  return sameSignature(claim, secretKey, ['AWS4-HMAC-SHA256', claim.date, scope, sha256(canonical)].join('\n'))
}

/** Whether the claimed signature of a form is correct for its policy field and secret key. */
export function isFormSignedWith(secretKey: string, policy: string, claim: Claim): boolean {
  return sameSignature(claim, secretKey, policy)
}

function canonicalRequest({ method, path, wire }: OssRequest, { signedHeaders, payloadHash }: RequestClaim): string {
  // Names are unique. They are compared alone, because `a-b=` sorts before `a=`, but `a-b` after `a`.
  const query = [...wire.query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodePercent(name), encodePercent(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.join('='))
  const names = [...signedHeaders].sort()
  return [
    method,
    encodePath(path),
    query.join('&'),
    ...names.map((name) => `${name}:${(wire.headers.get(name) ?? '').trim().replace(/\s+/gu, ' ')}`),
    '',
    names.join(';'),
    payloadHash,
  ].join('\n')
}

function scopeOf({ date, region }: Claim): string[] {
  return [date.slice(0, 8), region, 's3', 'aws4_request']
}

function sameSignature(claim: Claim, secretKey: string, text: string): boolean {
  const key = scopeOf(claim).reduce<Buffer>(hmac, Buffer.from(`AWS4${secretKey}`))
  return timingSafeEqual(Buffer.from(claim.signature, 'hex'), hmac(key, text))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
