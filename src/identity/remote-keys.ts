import type { Pool } from '../lib/outbound.ts'
import { discover } from './discovery.ts'
import { createKeyClient } from './key-server.ts'
import { createKeySet, type KeyFetch, type KeySet } from './key-set.ts'
import type { FetchedOrigin } from './key-source.ts'

type Way = Readonly<{ pool: Pool; sandbox: boolean }>
type Options = Way & Readonly<{ onFetch: (fetch: KeyFetch) => void; now?: () => number }>

/** The key set of an issuer whose keys are fetched. */
export function createRemoteKeySet(origin: FetchedOrigin, { pool, sandbox, ...options }: Options): KeySet {
  const fetchKeys = createKeyFetcher(origin, { pool, sandbox })
  return createKeySet({ fetchKeys, maxAgeMs: origin.maxAgeSeconds * 1000, ...options })
}

/**
 * Fetches an issuer's key set as parsed JSON.
 * @throws {OutboundError | KeyServerError} from the function that it returns
 */
export function createKeyFetcher(origin: FetchedOrigin, { pool, sandbox }: Way): () => Promise<unknown> {
  const { timeoutMs, tokenFile } = origin
  const home = origin.kind === 'jwks' ? origin.url : origin.issuer
  const bearer = tokenFile === undefined ? undefined : { file: tokenFile, origin: new URL(home).origin }
  const fetchJson = createKeyClient({ pool, timeoutMs, ...(bearer && { bearer }) })
  // Discovered anew each time: the issuer may have moved its keys.
  const address = async () => (origin.kind === 'jwks' ? origin.url : discover(fetchJson, { ...origin, sandbox }))
  return async () => fetchJson(await address())
}
