import type { Pool } from '../lib/outbound.ts'
import { discover } from './discovery.ts'
import type { Issuer } from './issuer.ts'
import { fetchJson } from './key-server.ts'
import { createKeySet, type KeyFetch, type KeySet } from './key-set.ts'

type Options = Readonly<{ pool: Pool; sandbox: boolean; onFetch: (fetch: KeyFetch) => void; now?: () => number }>

/** The key set of an issuer whose keys are fetched; undefined for one whose key is configured. */
export function createRemoteKeySet(
  { issuer, keys }: Issuer,
  { pool, sandbox, ...options }: Options,
): KeySet | undefined {
  if (keys.kind !== 'jwks' && keys.kind !== 'discovery') return undefined
  // Discovered anew each time: the issuer may have moved its keys.
  const address = async () =>
    keys.kind === 'jwks' ? keys.url : discover(pool, { issuer, origins: keys.origins, sandbox })
  const fetchKeys = async () => fetchJson(pool, await address())
  return createKeySet({ fetchKeys, maxAgeMs: keys.maxAgeSeconds * 1000, ...options })
}
