import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import { readCertificates } from '../lib/authorities.ts'
import { call, createPool, OutboundError, type Pool, type Route } from '../lib/outbound.ts'

const CONNECTIONS = 4

type PoolOptions = Readonly<{ timeoutMs: number; maxBytes: number; caFile?: string }>

/** A pool for fetching the key sets of one issuer, with its limits built in. */
export const createKeyPool = ({ timeoutMs, maxBytes, caFile }: PoolOptions, route: Route = {}): Pool =>
  createPool({
    connections: CONNECTIONS,
    connectTimeoutMs: timeoutMs,
    maxResponseBytes: maxBytes,
    keepAlive: true,
    route: caFile === undefined ? route : { ...route, hostContext: contextOf(caFile) },
  })

/** Asked for each connection: Kubernetes replaces the file while the service runs. */
function contextOf(caFile: string): () => SecureContext {
  let known = ''
  let context: SecureContext | undefined
  return () => {
    const ca = readFileSync(caFile, 'utf8')
    // Without certificates, as while somebody writes the file anew, Node would trust every public authority.
    const certificates = readCertificates(ca)
    if (!certificates) throw new OutboundError('network', 'NO_CERTIFICATES')
    if (context === undefined || ca !== known) context = createSecureContext({ ca: [...certificates] })
    known = ca
    return context
  }
}

/** A key server's answer that cannot be used. The code is for the log, which tells no messages. */
export class KeyServerError extends Error {
  override readonly name = 'KeyServerError'
  readonly code: string

  constructor(code: string) {
    super(`the key server's answer cannot be used: ${code}`)
    this.code = code
  }
}

/** One word for why a fetch failed: `timeout`, `network`, `proxy`, `too_large`, `http_<status>`, `not_json`, `no_keys`, … */
export function failureOf(error: unknown): string {
  if (error instanceof OutboundError) return error.failure
  return error instanceof KeyServerError ? error.code : 'unexpected'
}

/** Fetches JSON from a key server, with the bearer token if it is the one that the token is for. */
export type FetchJson = (url: string) => Promise<unknown>

type ClientOptions = Readonly<{
  pool: Pool
  timeoutMs: number
  /** A file with a bearer token, and the only origin that may see it. */
  bearer?: Readonly<{ file: string; origin: string }>
}>

/** @throws {OutboundError | KeyServerError} from the function that it returns */
export function createKeyClient({ pool, timeoutMs, bearer }: ClientOptions): FetchJson {
  return async (url) => {
    const mayTell = bearer !== undefined && new URL(url).origin === bearer.origin
    const authorization = mayTell ? `Bearer ${await readBearer(bearer.file)}` : undefined
    const headers = { accept: 'application/json', ...(authorization !== undefined && { authorization }) }
    const { status, body } = await call(pool, { method: 'GET', url, headers, timeoutMs })
    if (status !== 200) throw new KeyServerError(`http_${status}`)
    try {
      return JSON.parse(body)
    } catch {
      throw new KeyServerError('not_json')
    }
  }
}

/** Characters that a header may have: undici's error for any other could quote the token. */
export const isBearer = (token: string) => /^[\x21-\x7e]{1,16384}$/u.test(token)

/** Read for each fetch: Kubernetes replaces the token every hour. */
async function readBearer(file: string): Promise<string> {
  const token = await readFile(file, 'utf8').then(
    (content) => content.trim(),
    () => '',
  )
  if (!isBearer(token)) throw new KeyServerError('bad_token_file')
  return token
}
