import { createHmac } from 'node:crypto'
import aws4 from 'aws4'

/** Long-lived or temporary JD Cloud keys. `sessionToken` only with temporary ones. */
export type SigningKeys = Readonly<{ accessKey: string; secretKey: string; sessionToken?: string }>

/** The parts of a request that a signature covers. */
export type SignableRequest = Readonly<{
  method: string
  /** With the port, when it is not the scheme's default. */
  host: string
  /** Percent-encoded path and query, as they go over the wire. */
  path: string
  /** Headers to sign beside host, date and nonce; names in lower case. */
  headers?: Readonly<Record<string, string>>
  body?: string | Buffer
  service: string
  region: string
  /** `YYYYMMDDTHHmmssZ`, UTC. */
  date: string
  /** Unique to the request: the server refuses one that it has seen. */
  nonce: string
}>

const ALGORITHM = 'JDCLOUD2-HMAC-SHA256'
const TERMINATOR = 'jdcloud2_request'

// aws4 is used in this file alone: it falls back to keys from the environment when it is given none, changes the request
// that it is handed, and adds AWS headers unless told not to.

/**
 * JD Cloud's signature is AWS Signature Version 4 under five other names, so aws4's canonicalisation is kept and only
 * what carries a name is replaced.
 */
class Jdcloud2Signer extends aws4.RequestSigner {
  readonly keys: SigningKeys
  readonly extraHeadersToInclude: Readonly<Record<string, boolean>>

  constructor(request: SignableRequest, keys: SigningKeys) {
    const headers: Record<string, string> = {
      ...request.headers,
      host: request.host,
      'x-jdcloud-date': request.date,
      'x-jdcloud-nonce': request.nonce,
      ...(keys.sessionToken !== undefined && { 'x-jdcloud-security-token': keys.sessionToken }),
    }
    super(
      {
        method: request.method,
        host: request.host,
        path: request.path,
        headers,
        ...(request.body !== undefined && { body: request.body }),
        service: request.service,
        region: request.region,
        doNotModifyHeaders: true,
        doNotEncodePath: true,
      },
      { accessKeyId: keys.accessKey, secretAccessKey: keys.secretKey },
    )
    this.keys = keys
    this.datetime = request.date
    // aws4 leaves `connection`, `expect`, `range` and a few more unsigned. JD Cloud leaves out these two alone.
    const { authorization: _, 'user-agent': __, ...signed } = headers
    this.extraHeadersToInclude = Object.fromEntries(Object.keys(signed).map((name) => [name, true]))
  }

  override credentialString(): string {
    return [this.getDate(), this.region, this.service, TERMINATOR].join('/')
  }

  override stringToSign(): string {
    const [, date, , canonicalHash] = super.stringToSign().split('\n')
    return [ALGORITHM, date, this.credentialString(), canonicalHash].join('\n')
  }

  override signature(): string {
    const scope = [this.getDate(), this.region, this.service, TERMINATOR]
    const key = scope.reduce(hmac, Buffer.from(`JDCLOUD2${this.keys.secretKey}`))
    return hmac(key, this.stringToSign()).toString('hex')
  }

  override authHeader(): string {
    return [
      `${ALGORITHM} Credential=${this.keys.accessKey}/${this.credentialString()}`,
      `SignedHeaders=${this.signedHeaders()}`,
      `Signature=${this.signature()}`,
    ].join(', ')
  }
}

/**
 * Signs with JDCLOUD2-HMAC-SHA256 and returns every header to send, `authorization` included. Pure: the same input
 * gives the same headers.
 */
export function signJdcloud2(request: SignableRequest, keys: SigningKeys): Record<string, string> {
  return headersOf(new Jdcloud2Signer(request, keys))
}

/** Signs with AWS4-HMAC-SHA256 and returns every header to send, `authorization` included. Pure. */
export function signAws(request: Omit<SignableRequest, 'nonce'>, keys: SigningKeys): Record<string, string> {
  const { method, host, path, headers, body, service, region, date } = request
  const options = { method, host, path, service, region, ...(body !== undefined && { body }) }
  return headersOf(
    new aws4.RequestSigner({ ...options, headers: { ...headers, host, 'x-amz-date': date } }, awsKeys(keys)),
  )
}

/**
 * Signs a request to S3 in its query, for whoever holds the URL (`UNSIGNED-PAYLOAD`). The holder must send the headers
 * just so; with headers, aws4 takes the date from the query. Pure.
 * @returns path and query
 */
export function presignS3(
  request: Omit<SignableRequest, 'nonce' | 'body' | 'service'> & Readonly<{ expiresSeconds: number }>,
  keys: SigningKeys,
): string {
  const { method, host, headers, region, date, expiresSeconds } = request
  const [path = '', query = ''] = request.path.split('?')
  const signed = new URLSearchParams(query)
  signed.set('X-Amz-Date', date)
  signed.set('X-Amz-Expires', String(expiresSeconds))
  // URLSearchParams writes a space as +, which aws4 reads as a plus sign.
  const url = `${path}?${signed.toString().replaceAll('+', '%20')}`
  const options = { method, host, path: url, service: 's3', region, signQuery: true }
  return String(new aws4.RequestSigner({ ...options, headers: { ...headers, host } }, awsKeys(keys)).sign().path)
}

const awsKeys = ({ accessKey, secretKey, sessionToken }: SigningKeys) => ({
  accessKeyId: accessKey,
  secretAccessKey: secretKey,
  ...(sessionToken !== undefined && { sessionToken }),
})

function headersOf(signer: aws4.RequestSigner): Record<string, string> {
  const { headers } = signer.sign()
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]))
}

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** An instant as the signature wants it: `YYYYMMDDTHHmmssZ`. */
export function signingDate(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/[-:]|\.\d{3}/gu, '')
}
