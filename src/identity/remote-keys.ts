import { z } from 'zod'
import { call, createPool, type Pool } from '../outbound.ts'
import { addressFaults, type Issuer } from './issuer.ts'
import { createKeySet, type KeySet } from './key-set.ts'

const KEY_SET_MAX_BYTES = 256 * 1024
const KEY_SET_TIMEOUT_MS = 2000

const discoverySchema = z.looseObject({ issuer: z.string(), jwks_uri: z.string() })

/** A pool for fetching key sets with its limits built in. */
export const createKeyPool = (): Pool =>
  createPool({
    connections: 4,
    connectTimeoutMs: KEY_SET_TIMEOUT_MS,
    maxResponseBytes: KEY_SET_MAX_BYTES,
    keepAlive: true,
  })

type Options = Readonly<{ pool: Pool; sandbox: boolean; onFailure: (error: unknown) => void; now?: () => number }>

/** The key set of an issuer whose keys are fetched; undefined for one whose key is configured. */
export function createRemoteKeySet(issuer: Issuer, { pool, sandbox, ...options }: Options): KeySet | undefined {
  const { keys } = issuer
  if (keys.kind === 'jwks') return createKeySet({ fetchKeys: () => fetchJson(pool, keys.url), ...options })
  if (keys.kind !== 'discovery') return undefined
  const fetchKeys = async () => fetchJson(pool, await discover(pool, issuer.issuer, sandbox))
  return createKeySet({ fetchKeys, ...options })
}

/** OpenID Connect Discovery 1.0: the document must name the very issuer that it was fetched for. */
async function discover(pool: Pool, issuer: string, sandbox: boolean): Promise<string> {
  const document = await fetchJson(pool, `${issuer.replace(/\/$/u, '')}/.well-known/openid-configuration`)
  const { issuer: named, jwks_uri: address } = discoverySchema.parse(document)
  if (named !== issuer) throw new KeyServerError('other_issuer')
  if (addressFaults(address, { query: true }).some(({ weak }) => !(weak && sandbox))) {
    throw new KeyServerError('address_refused')
  }
  return address
}

async function fetchJson(pool: Pool, url: string): Promise<unknown> {
  const headers = { accept: 'application/json' }
  const { status, body } = await call(pool, { method: 'GET', url, headers, timeoutMs: KEY_SET_TIMEOUT_MS })
  if (status !== 200) throw new KeyServerError(`http_${status}`)
  return JSON.parse(body)
}

/** A key server's answer that is no key set; the code is for the log, which tells no messages. */
class KeyServerError extends Error {
  override readonly name = 'KeyServerError'
  readonly code: string

  constructor(code: string) {
    super(`the key server's answer cannot be used: ${code}`)
    this.code = code
  }
}
