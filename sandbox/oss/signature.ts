import { createHmac, timingSafeEqual } from 'node:crypto'
import aws4 from 'aws4'
import type { Claim, RequestClaim } from './claim.ts'
import { encodePath, encodePercent } from './percent.ts'
import type { OssRequest } from './request.ts'

const PAYLOAD_HASH = 'x-amz-content-sha256'

/**
 * aws4 decides by itself what to sign, but a server must sign exactly what the client signed. So aws4 receives only the
 * listed headers and must leave none out (by itself it ignores `range`, `user-agent`, `expect` and `connection`). It
 * also receives path and query in the one spelling that it reads correctly: it reads a raw `+` in a path as a space,
 * and encodes a path with one unusual character twice.
 */
class Verifier extends aws4.RequestSigner {
  readonly extraHeadersToInclude: Readonly<Record<string, boolean>>
  readonly extraHeadersToIgnore = { [PAYLOAD_HASH]: true }

  constructor({ method, path, wire }: OssRequest, claim: RequestClaim, secretKey: string) {
    const query = [...wire.query]
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, value]) => `${encodePercent(name)}=${encodePercent(value)}`)
    const headers = [...claim.signedHeaders]
      .filter((name) => name !== PAYLOAD_HASH)
      .map((name): [string, string] => [name, wire.headers.get(name) ?? ''])
    super(
      {
        method,
        path: encodePath(path) + (query.length > 0 ? `?${query.join('&')}` : ''),
        // aws4 takes the payload's hash from this header, even if it is not signed.
        headers: { ...Object.fromEntries(headers), [PAYLOAD_HASH]: claim.payloadHash },
        service: 's3',
        region: claim.region,
        // A presigned query is an ordinary query here: `signQuery` would add and overwrite parameters.
        doNotModifyHeaders: true,
      },
      // Always present: otherwise aws4 would take keys from the environment.
      { accessKeyId: claim.accessKey, secretAccessKey: secretKey },
    )
    this.datetime = claim.date
    this.extraHeadersToInclude = Object.fromEntries([...claim.signedHeaders].map((name) => [name, true]))
  }
}

/** Whether the claimed signature is correct for this request and secret key. */
export function isSignedWith(secretKey: string, request: OssRequest, claim: RequestClaim): boolean {
  const { headers } = request.wire
  // An unsigned host could be any host, and aws4 would invent one.
  if (!claim.signedHeaders.has('host') || !headers.get('host')) return false
  for (const name of claim.signedHeaders) if (!headers.has(name)) return false
  return sameSignature(claim, new Verifier(request, claim, secretKey).signature())
}

/** Whether the claimed signature of a form is correct for its policy field and secret key. */
export function isFormSignedWith(secretKey: string, policy: string, claim: Claim): boolean {
  const scope = [claim.date.slice(0, 8), claim.region, 's3', 'aws4_request']
  const key = scope.reduce<string | Buffer>(
    (previous, part) => createHmac('sha256', previous).update(part).digest(),
    `AWS4${secretKey}`,
  )
  return sameSignature(claim, createHmac('sha256', key).update(policy).digest('hex'))
}

function sameSignature({ signature }: Claim, expected: string): boolean {
  return timingSafeEqual(Buffer.from(signature, 'hex'), Buffer.from(expected, 'hex'))
}
