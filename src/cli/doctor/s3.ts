import { Readable } from 'node:stream'
import { z } from 'zod'
import { call, OutboundError, type OutboundRequest, type Pool } from '../../lib/outbound.ts'
import type { Credentials } from '../../sts/credentials.ts'
import { chunkedBody } from './chunked-body.ts'

type Options = Readonly<{
  oss: Readonly<{ endpoint: string; region: string; bucket: string }>
  pool: Pool
  timeoutMs: number
}>

/** What OSS answered. `code` is one of those that are known here; the region is the one that OSS names. */
export type Answer<T = unknown> =
  | Readonly<{ ok: true; value: T }>
  | Readonly<{ ok: false; code: string; region?: string; unreached?: OutboundError }>

/** The operations of the doctor on one bucket, with the credentials of one session. */
export type Store = Readonly<{
  put(key: string, body: string): Promise<Answer>
  /** Writes with a body that is framed as `aws-chunked`, as SDKs send it by default. */
  putChunked(key: string, body: string): Promise<Answer>
  get(key: string): Promise<Answer<string>>
  delete(key: string): Promise<Answer>
  abort(key: string): Promise<Answer>
  listParts(key: string): Promise<Answer>
  list(): Promise<Answer>
  listUploads(): Promise<Answer>
  location(): Promise<Answer<string | undefined>>
}>

/** An upload that nobody has begun: whoever may not touch it is refused before OSS looks for it. */
const NO_UPLOAD = 'oss-vend-doctor'

/** Opens a bucket with AWS's SDK, over the service's own way out: proxy, authorities and limits are the same. */
export async function openStore({ oss, pool, timeoutMs }: Options, credentials: Credentials): Promise<Store> {
  const sdk = await import('./aws-sdk.ts')
  const { accessKey: accessKeyId, secretKey: secretAccessKey, sessionToken } = credentials
  const client = new sdk.S3Client({
    endpoint: oss.endpoint,
    region: oss.region,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    requestHandler: { handle: (request: unknown) => send(request, pool, timeoutMs) },
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Otherwise the SDK looks for these in ~/.aws and in variables of other programs.
    defaultsMode: 'standard',
    retryMode: 'standard',
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    useArnRegion: false,
    disableS3ExpressSessionAuth: true,
    authSchemePreference: [],
    sigv4aSigningRegionSet: [],
    userAgentAppId: '',
  })
  const Bucket = oss.bucket
  return {
    put: (Key, Body) => answerOf(client.send(new sdk.PutObjectCommand({ Bucket, Key, Body }))),
    putChunked(Key, body) {
      const command = new sdk.PutObjectCommand({ Bucket, Key, Body: body })
      command.middlewareStack.add(
        (next) => (args) => {
          const { request } = args
          if (isRequest(request)) Object.assign(request, chunkedBody(body, request.headers))
          return next(args)
        },
        { step: 'build', priority: 'low' },
      )
      return answerOf(client.send(command))
    },
    get: (Key) =>
      answerOf(
        client.send(new sdk.GetObjectCommand({ Bucket, Key })).then(({ Body }) => Body?.transformToString() ?? ''),
      ),
    delete: (Key) => answerOf(client.send(new sdk.DeleteObjectCommand({ Bucket, Key }))),
    abort: (Key) => answerOf(client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId: NO_UPLOAD }))),
    listParts: (Key) => answerOf(client.send(new sdk.ListPartsCommand({ Bucket, Key, UploadId: NO_UPLOAD }))),
    list: () => answerOf(client.send(new sdk.ListObjectsV2Command({ Bucket, MaxKeys: 1 }))),
    listUploads: () => answerOf(client.send(new sdk.ListMultipartUploadsCommand({ Bucket, MaxUploads: 1 }))),
    location: () =>
      answerOf(
        client.send(new sdk.GetBucketLocationCommand({ Bucket })).then(({ LocationConstraint }) => LocationConstraint),
      ),
  }
}

const requestSchema = z.object({
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']),
  protocol: z.string(),
  hostname: z.string(),
  port: z.number().optional(),
  path: z.string(),
  query: z.record(z.string(), z.union([z.string(), z.null(), z.array(z.string())])).optional(),
  headers: z.record(z.string(), z.string()),
  body: z.union([z.string(), z.instanceof(Uint8Array)]).optional(),
})

const isRequest = (request: unknown): request is z.infer<typeof requestSchema> =>
  requestSchema.safeParse(request).success

/** Sends a request of the SDK like every other call of the service. */
async function send(given: unknown, pool: Pool, timeoutMs: number) {
  const { method, protocol, hostname, port, path, query = {}, headers, body } = requestSchema.parse(given)
  const host = port === undefined ? hostname : `${hostname}:${port}`
  // undici does not wait for leave to send a body, and refuses a header that asks for it.
  const { expect: _expect, ...own } = headers
  const request: OutboundRequest = {
    method,
    url: `${protocol}//${host}${path}${queryText(query)}`,
    headers: own,
    ...(body !== undefined && { body: typeof body === 'string' ? body : Buffer.from(body).toString() }),
    timeoutMs,
  }
  const answer = await call(pool, request)
  const flat = Object.entries(answer.headers).map(([name, value]) => [name, String(value ?? '')])
  const response = {
    statusCode: answer.status,
    headers: Object.fromEntries(flat),
    body: Readable.from([Buffer.from(answer.body)]),
  }
  return { response }
}

const escapeUri = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/gu, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

function queryText(query: NonNullable<z.infer<typeof requestSchema>['query']>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => (one === null ? escapeUri(name) : `${escapeUri(name)}=${escapeUri(one)}`)),
  )
  return pairs.length > 0 ? `?${pairs.join('&')}` : ''
}

/** Only these are told: a server can write anything in this place, such as what it was sent. */
const CODES: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AuthorizationHeaderMalformed',
  'ExpiredToken',
  'InternalError',
  'InvalidAccessKeyId',
  'InvalidToken',
  'MissingContentLength',
  'NoSuchBucket',
  'NoSuchKey',
  'NoSuchUpload',
  'NotFound',
  'NotImplemented',
  'PermanentRedirect',
  'RequestTimeTooSkewed',
  'ServiceUnavailable',
  'SignatureDoesNotMatch',
  'SlowDown',
  'TemporaryRedirect',
])

/** Whether a text can be shown as a region, whoever wrote it. */
export const isRegion = (text: string) => /^[a-z]{2}-[a-z]{3,12}-\d{1,2}$/u.test(text)

const faultSchema = z.looseObject({
  name: z.string().optional().catch(undefined),
  Region: z.string().refine(isRegion).optional().catch(undefined),
  $metadata: z
    .looseObject({ httpStatusCode: z.int().optional().catch(undefined) })
    .optional()
    .catch(undefined),
})

async function answerOf<T>(sending: Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await sending }
  } catch (error) {
    if (error instanceof OutboundError) return { ok: false, code: error.code, unreached: error }
    const { name = '', Region: region, $metadata } = faultSchema.catch({}).parse(error)
    const status = $metadata?.httpStatusCode
    const code = CODES.has(name) ? name : status === undefined ? 'other' : `status ${status}`
    return { ok: false, code, ...(region !== undefined && { region }) }
  }
}
