import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import type { LookupFunction } from 'node:net'
import { S3Client, type S3ClientConfig, S3ServiceException } from '@aws-sdk/client-s3'
import type { Test } from 'tap'
import type { Policy } from '../../../sandbox/iam/policy.ts'
import { createOssHandler } from '../../../sandbox/oss/handler.ts'
import { createWorld, SANDBOX_KEYS, type Scenario } from '../../../sandbox/world.ts'
import { signingDate } from '../../../src/lib/signature-v4.ts'
import { listen } from '../../helpers/listen.ts'
import { type Keys, type Signable, scopeOf, sha256, signature } from './sigv4.ts'

export const BUCKET = 'test-app'
export const OWNER: Keys = SANDBOX_KEYS.owner
export const ROLE_JRN = 'jrn:iam::111111111111:role/test-role'

/** A policy with one Allow for keys of the bucket. A resource that is a JRN stays as it is. */
export function allow(actions: readonly string[], ...keys: readonly string[]): Policy {
  const Resource = keys.map((key) => (key.startsWith('jrn:') ? key : `jrn:oss:*:111111111111:${BUCKET}/${key}`))
  return { Version: '3', Statement: [{ Effect: 'Allow', Action: actions, Resource }] }
}

/** A correctly signed request, with optional changes. */
export type Call = Readonly<{
  method?: string
  /** The path on the wire, in path style. */
  path?: string
  query?: Readonly<Record<string, string>>
  headers?: Readonly<Record<string, string>>
  body?: string | Buffer
  keys?: Keys
  /** Signs the query instead of the headers; the URL is valid for this many seconds. */
  presign?: number
  /** Epoch milliseconds. */
  at?: number
  region?: string
  service?: string
  /** The path in the signature, if it differs from the path on the wire. */
  signedPath?: string
  payloadHash?: string
  /** Changes which headers are signed. */
  signs?: (names: readonly string[]) => readonly string[]
  /** Headers that are sent but not signed. */
  unsigned?: Readonly<Record<string, string>>
  /** Changes the request after it was signed. */
  tamper?: (wire: Wire) => Wire
}>

/** The request on the wire. */
export type Wire = Readonly<{
  path: string
  query: string
  headers: Readonly<Record<string, string>>
  body: string | Buffer
}>

/** The answer. `code` is the code of an error document. */
export type Answer = Readonly<{
  status: number
  headers: IncomingMessage['headers']
  body: Buffer
  text: string
  code: string | undefined
}>

/** Every host name resolves to this machine, also those of JD Cloud. */
const toLoopback: LookupFunction = (_, { all }, found) =>
  all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4)

/** An OSS on loopback. Its clock moves only when a test sets `time.now`. */
export async function startOss(t: Test, scenario: Scenario = {}) {
  const time = { now: Date.now() }
  const world = createWorld({ clock: () => time.now, ...scenario })
  // An internal error is a bug, whatever answer a test expects.
  const handler = createOssHandler(world, { onInternalError: (error) => t.error(error) })
  const url = await listen(t, handler)
  const { host, port } = new URL(url)

  const bucket = handler.store.get(BUCKET)
  if (!bucket) throw new Error('no bucket')

  function session(policy?: Policy, seconds = 3600) {
    const role = world.roles.get(ROLE_JRN)
    if (!role) throw new Error('no role')
    return world.sessions.issue({ role, sessionName: 'test@alice', policy }, seconds)
  }

  function client({ accessKey, secretKey, sessionToken }: Keys, config: S3ClientConfig = {}): S3Client {
    const s3 = new S3Client({
      region: world.region,
      endpoint: url,
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      maxAttempts: 1,
      requestHandler: { httpAgent: new Agent({ lookup: toLoopback }) },
      credentials: {
        accessKeyId: accessKey,
        secretAccessKey: secretKey,
        ...(sessionToken !== undefined && { sessionToken }),
      },
      ...config,
    })
    t.teardown(() => s3.destroy())
    return s3
  }

  const sign = (call: Call): Wire => {
    const wire = signCall({ host, region: world.region, now: time.now }, call)
    return call.tamper?.(wire) ?? wire
  }

  async function send(method: string, { path, query, headers, body }: Wire): Promise<Answer> {
    const req = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path: query === '' ? path : `${path}?${query}`,
      headers: { host, ...headers },
      agent: false,
    })
    const response = once(req, 'response')
    req.end(body)
    const [res]: IncomingMessage[] = await response
    if (!res) throw new Error('no response')
    const bytes = Buffer.concat(await res.toArray())
    const text = bytes.toString()
    const code = /<Error><Code>(\w+)<\/Code>/u.exec(text)?.[1]
    return { status: res.statusCode ?? 0, headers: res.headers, body: bytes, text, code }
  }

  return {
    url,
    host,
    world,
    time,
    bucket,
    handler,
    session,
    client,
    sign,
    send,
    call: (call: Call) => send(call.method ?? 'GET', sign(call)),
  }
}

export type Oss = Awaited<ReturnType<typeof startOss>>

function signCall(server: { host: string; region: string; now: number }, call: Call): Wire {
  const { method = 'GET', path = `/${BUCKET}/key`, keys = OWNER, body = '', service = 's3', presign } = call
  const date = signingDate(call.at ?? server.now)
  const scope = { date, region: call.region ?? server.region, service }
  const payloadHash = call.payloadHash ?? (presign === undefined ? sha256(body) : 'UNSIGNED-PAYLOAD')
  const credential = `${keys.accessKey}/${scopeOf(scope)}`
  const headers = new Map(Object.entries({ host: server.host, ...call.headers }))
  const query = new Map(Object.entries(call.query ?? {}))
  const token = keys.sessionToken
  if (presign === undefined) {
    headers.set('x-amz-date', date).set('x-amz-content-sha256', payloadHash)
    if (token !== undefined) headers.set('x-amz-security-token', token)
  }
  const names = [...headers.keys()].sort()
  const signed = call.signs?.(names) ?? names
  if (presign !== undefined) {
    query.set('X-Amz-Algorithm', 'AWS4-HMAC-SHA256').set('X-Amz-Credential', credential).set('X-Amz-Date', date)
    query.set('X-Amz-Expires', String(presign)).set('X-Amz-SignedHeaders', signed.join(';'))
    if (token !== undefined) query.set('X-Amz-Security-Token', token)
  }
  const request: Signable = {
    ...{ method, query, headers, signed, payloadHash, ...scope },
    path: call.signedPath ?? path,
  }
  const result = signature(request, keys.secretKey)
  if (presign === undefined) {
    headers.set(
      'authorization',
      `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed.join(';')}, Signature=${result}`,
    )
  } else {
    query.set('X-Amz-Signature', result)
  }
  const spelt = [...query].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  return { path, query: spelt.join('&'), headers: { ...Object.fromEntries(headers), ...call.unsigned }, body }
}

/** The result of an SDK call: `<status> <code>` of a refusal, or `ok`. */
export async function outcome(answer: Promise<unknown>): Promise<string> {
  try {
    await answer
    return 'ok'
  } catch (error) {
    if (error instanceof S3ServiceException) return `${error.$metadata.httpStatusCode} ${error.name}`
    throw error
  }
}
