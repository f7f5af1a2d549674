import { homedir } from 'node:os'
import { z } from 'zod'
import { ERRORS } from '../errors.ts'
import { readToken } from '../identity/token.ts'
import { isLoopback } from '../lib/address.ts'
import { call, createPool, OutboundError } from '../lib/outbound.ts'
import { createCredentialFile, type Kept } from './credential-file.ts'
import { CommandError, type Io } from './io.ts'
import { readTokenFrom, type TokenOrigin } from './token-origin.ts'

/** The options of `credentials`. */
export type CredentialsOptions = TokenOrigin &
  Readonly<{
    url: string
    policy: string
    param?: Readonly<Record<string, string>>
    action?: readonly string[]
    prefix?: string
  }>

type Dependencies = Readonly<{
  /** Epoch milliseconds. */
  now?: () => number
  platform?: NodeJS.Platform
  home?: string
}>

/** Longer than a vend takes at the service. */
const TIMEOUT_MS = 15_000
const CONNECT_TIMEOUT_MS = 5000
const MAX_ANSWER_BYTES = 64 * 1024

const answerSchema = z.object({
  credentials: z.object({
    accessKey: z.string().min(1),
    secretKey: z.string().min(1),
    sessionToken: z.string().min(1),
    expiration: z.iso.datetime(),
  }),
})

/**
 * `credentials`: prints the JSON that AWS SDKs and tools read of a `credential_process`. A session is kept for this user,
 * and printed again until 15 minutes before its end.
 * @throws {CommandError} in one line for standard error, which has no secret
 */
export async function credentialsCommand(
  io: Io,
  options: CredentialsOptions,
  { now = Date.now, platform = process.platform, home = homedir() }: Dependencies = {},
): Promise<0> {
  const { policy, param = {}, action: actions, prefix } = options
  const url = endpointOf(options.url)
  const token = await readTokenFrom(options, io.env)
  const payload = readToken(token)?.payload
  if (!payload) throw new CommandError('The token is not a JWT', 1)
  const params = Object.entries(param).sort(([one], [other]) => (one < other ? -1 : 1))
  const restricted = actions !== undefined || prefix !== undefined
  const restriction = restricted && { restrictTo: { actions, prefix } }
  // Of the token no more than whose it is, so that a renewed one finds the session of the one before.
  const identity = [url, policy, params, ...ownerOf(payload), ...(restriction ? [restriction] : [])]
  const file = createCredentialFile(identity, { env: io.env, platform, home, now })
  const kept = await file.read()
  if (kept) return print(io, kept)
  const fresh = await ask(url, token, { policy, params: param, ...restriction })
  print(io, fresh)
  const failure = await file.write(fresh)
  if (failure !== undefined) io.err(`These credentials are not kept for the next time: ${failure}\n`)
  return 0
}

/** Home-grown tokens may name nobody by `iss` and `sub`: then all of the token does, and each has a session of its own. */
function ownerOf(payload: Readonly<Record<string, unknown>>): readonly unknown[] {
  const { iss, sub } = payload
  return typeof iss === 'string' && typeof sub === 'string' ? [iss, sub] : [payload]
}

function print(io: Io, { accessKey, secretKey, sessionToken, expiration }: Kept): 0 {
  const document = {
    Version: 1,
    AccessKeyId: accessKey,
    SecretAccessKey: secretKey,
    SessionToken: sessionToken,
    Expiration: expiration,
  }
  io.out(`${JSON.stringify(document)}\n`)
  return 0
}

function endpointOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/u.test(url.protocol) || url.username + url.password + url.search + url.hash !== '') {
    throw new CommandError('--url must be an address such as https://vend.example.com', 2)
  }
  // The token would be readable on the way, and so would the credentials.
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) throw new CommandError('--url must be https', 2)
  return new URL('v1/credentials', url.href.endsWith('/') ? url : `${url.href}/`).href
}

async function ask(url: string, token: string, body: unknown): Promise<Kept> {
  const pool = createPool({
    connections: 1,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    maxResponseBytes: MAX_ANSWER_BYTES,
    keepAlive: false,
  })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  try {
    const request = { method: 'POST', url, headers, body: JSON.stringify(body), timeoutMs: TIMEOUT_MS } as const
    const answer = await call(pool, request)
    const parsed = answer.status === 200 ? answerSchema.safeParse(parseJson(answer.body)) : undefined
    if (parsed?.success) return parsed.data.credentials
    throw new CommandError(refusalOf(answer.status, parseJson(answer.body), token), 1)
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error
    const why = error.failure === 'timeout' ? 'did not answer in time' : 'cannot be reached'
    throw new CommandError(`The service ${why} (${error.code}): ${new URL(url).origin}`, 1)
  } finally {
    await pool.close()
  }
}

const problemSchema = z.object({
  code: z.enum(Object.keys(ERRORS)),
  title: z.string(),
  detail: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  requestId: z.string(),
})

/** Another server may answer with anything, the request's own headers among it. */
function refusalOf(status: number, answer: unknown, token: string): string {
  const { data } = problemSchema.safeParse(answer)
  if (!data) return `The address answered ${status}, and not as this service does: check --url`
  const { code, title, detail, errors = [], requestId } = data
  const more = detail ?? errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')
  const text = `${status} ${code}: ${title}${more === '' ? '' : `: ${more}`} (request ${requestId})`
  return text
    .replaceAll(token, '…')
    .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
    .slice(0, 1000)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
