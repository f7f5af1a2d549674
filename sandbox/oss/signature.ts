import { createHmac, timingSafeEqual } from 'node:crypto'
import aws4 from 'aws4'
import type { Claim, RequestClaim } from './claim.ts'
import { encodePath, encodePercent } from './percent.ts'
import type { OssRequest } from './request.ts'

const PAYLOAD_HASH = 'x-amz-content-sha256'

/**
 * aws4 signs what it thinks should be signed; a server must sign exactly what the client says that it signed. So it is
 * given only the headers that are listed, told to leave none of them out (by itself it ignores `range`, `user-agent`,
 * `expect` and `connection`), and handed path and query in the one spelling that it cannot misread: it takes a raw `+` in
 * a path for a space, and encodes a path that has one unusual character a second time.
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
        // aws4 takes the payload's hash from this header, which need not be among the signed ones.
        headers: { ...Object.fromEntries(headers), [PAYLOAD_HASH]: claim.payloadHash },
        service: 's3',
        region: claim.region,
        // A presigned query is a query like any other here: `signQuery` would fill in and overwrite parameters.
        doNotModifyHeaders: true,
      },
      // Never left out: aws4 would take keys from the environment.
      { accessKeyId: claim.accessKey, secretAccessKey: secretKey },
    )
    this.datetime = claim.date
    this.extraHeadersToInclude = Object.fromEntries([...claim.signedHeaders].map((name) => [name, true]))
  }
}

/** Whether the claimed signature is the one that the secret key gives for this request as it came. */
export function isSignedWith(secretKey: string, request: OssRequest, claim: RequestClaim): boolean {
  const { headers } = request.wire
  // Unsigned, the host could be any, and aws4 makes one up.
  if (!claim.signedHeaders.has('host') || !headers.get('host')) return false
  for (const name of claim.signedHeaders) if (!headers.has(name)) return false
  return sameSignature(claim, new Verifier(request, claim, secretKey).signature())
}

/** Whether the claimed signature of a form is the one that the secret key gives for its policy, as the field holds it. */
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
