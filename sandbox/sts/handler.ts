import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Lie } from '../faults.ts'
import type { World } from '../world.ts'
import { assumeRole } from './assume-role.ts'
import { createAuthenticator } from './authenticate.ts'
import { type ExpirationZone, formatExpiration } from './expiration.ts'
import { Refusal } from './refusals.ts'
import { type AssumeRoleInfo, parseAssumeRoleBody } from './request.ts'

/** SDKs send the colon encoded or as it is. */
const PATHS: ReadonlySet<string> = new Set([
  '/v1/sessionToken%3AassumeRole',
  '/v1/sessionToken%3aassumeRole',
  '/v1/sessionToken:assumeRole',
])

const MAX_BODY_BYTES = 64 * 1024

/** An AssumeRole request: its caller and its exact contents. */
export type AskedFor = AssumeRoleInfo & Readonly<{ accessKey: string }>

/** The STS as a listener for `node:http`. It answers truly unless a fault is switched on. */
export type StsHandler = ((req: IncomingMessage, res: ServerResponse, lie?: Lie) => void) & {
  /** The last well-formed, authenticated requests, refused or not, oldest first. */
  readonly asked: readonly AskedFor[]
}

/** Optional settings. */
export type StsOptions = Readonly<{
  expirationZone?: ExpirationZone
  /** The maximum length of {@link StsHandler.asked}. */
  remember?: number
  /** Receives exceptions that are bugs of this code. The client reads only INTERNAL. */
  onInternalError?: (error: unknown) => void
}>

/** JD Cloud's STS, only AssumeRole, over the users, roles and sessions of a world. */
export function createStsHandler(
  world: World,
  { expirationZone = 'UTC', remember = 10_000, onInternalError = () => undefined }: StsOptions = {},
): StsHandler {
  const authenticate = createAuthenticator(world)
  const asked: AskedFor[] = []

  async function answer(req: IncomingMessage, lie?: Lie): Promise<object> {
    const { url: path = '' } = req
    if (!PATHS.has(path)) throw new Refusal('pathUnknown')
    if (req.method !== 'POST') throw new Refusal('methodNotAllowed')
    const body = await readBody(req)
    const user = authenticate({ method: req.method, path, headers: req.headersDistinct, body })
    const info = parseAssumeRoleBody(body)
    asked.push({ accessKey: user.accessKey, ...info })
    if (asked.length > remember) asked.shift()
    const { accessKey, secretKey, sessionToken, expiresAt } = assumeRole(world, user, info)
    const credentials = { accessKey, secretKey, sessionToken }
    if (lie?.hours === 'missing') return { credentials }
    const told = expiresAt + (lie?.hours ?? 0) * 3_600_000
    return { credentials: { ...credentials, expiration: formatExpiration(told, expirationZone) } }
  }

  async function listen(req: IncomingMessage, res: ServerResponse, lie?: Lie): Promise<void> {
    const requestId = randomUUID()
    try {
      const result = await answer(req, lie)
      send(res, requestId, 200, JSON.stringify({ requestId, result }))
    } catch (error) {
      // A client that disconnected during its body needs no answer.
      if (req.errored) return
      if (!(error instanceof Refusal)) onInternalError(error)
      const refusal = error instanceof Refusal ? error : new Refusal('internal')
      send(res, requestId, refusal.httpStatus, refusal.document(requestId))
    }
  }

  const handler = (req: IncomingMessage, res: ServerResponse, lie?: Lie) => void listen(req, res, lie)
  return Object.assign(handler, { asked })
}

async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  // Leaving the loop early must not destroy the socket, because the refusal still needs it.
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Refusal('bodyTooLarge')
  }
  return Buffer.concat(chunks)
}

function send(res: ServerResponse, requestId: string, status: number, document: string): void {
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(document),
    'x-jdcloud-request-id': requestId,
    // The rest of a too large body is not worth waiting for.
    ...(status === 413 && { connection: 'close' }),
    ...(status === 405 && { allow: 'POST' }),
  })
  res.end(document)
}
