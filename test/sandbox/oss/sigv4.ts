import { createHash, createHmac } from 'node:crypto'

/** A client's keys. */
export type Keys = Readonly<{ accessKey: string; secretKey: string; sessionToken?: string }>

/** The parts that a client signs. Path and query are signed exactly as given. */
export type Signable = Readonly<{
  method: string
  /** Percent-encoded, in the canonical spelling. */
  path: string
  query: ReadonlyMap<string, string>
  headers: ReadonlyMap<string, string>
  /** Names of the headers that are signed. */
  signed: readonly string[]
  payloadHash: string
  date: string
  region: string
  service: string
}>

export const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')

export const scopeOf = ({ date, region, service }: Pick<Signable, 'date' | 'region' | 'service'>) =>
  `${date.slice(0, 8)}/${region}/${service}/aws4_request`

export const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/gu, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** Signature Version 4, written from AWS's description, because it judges the sandbox. */
export function signature(request: Signable, secretKey: string): string {
  const encoded = [...request.query].map(([name, value]): [string, string] => [encode(name), encode(value)])
  const query = encoded.sort(([a], [b]) => (a < b ? -1 : 1)).map((pair) => pair.join('='))
  const canonical = [
    request.method,
    request.path,
    query.join('&'),
    ...request.signed.map((name) => `${name}:${request.headers.get(name)?.trim().replace(/\s+/gu, ' ') ?? ''}`),
    '',
    request.signed.join(';'),
    request.payloadHash,
  ].join('\n')
  return hmacChain(
    request,
    secretKey,
    ['AWS4-HMAC-SHA256', request.date, scopeOf(request), sha256(canonical)].join('\n'),
  )
}

/** Signs any text with the key of a scope, as for POST policies. */
export function hmacChain(
  scope: Pick<Signable, 'date' | 'region' | 'service'>,
  secretKey: string,
  text: string,
): string {
  const steps = [...scopeOf(scope).split('/'), text]
  const digest = steps.reduce<string | Buffer>(
    (key, step) => createHmac('sha256', key).update(step).digest(),
    `AWS4${secretKey}`,
  )
  return Buffer.from(digest).toString('hex')
}
