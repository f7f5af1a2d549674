import { createPublicKey } from 'node:crypto'
import { type Algorithm, algorithmsOfKey, PUBLIC_KEY_ALGORITHMS, SECRET_ALGORITHMS } from './algorithms.ts'
import { type SecretEncoding, secretBytes } from './secret-bytes.ts'

/** How a key set is fetched. */
export type Fetching = Readonly<{
  /** An older set verifies nothing. */
  maxAgeSeconds: number
  timeoutMs: number
  maxBytes: number
  /** A file with the bearer token for the key server, read for each fetch. */
  tokenFile?: string
  /** A PEM file with the only certificate authorities that the key server is trusted by. */
  caFile?: string
}>

/** A key that the operator gives. `file` is where it stands, when it was read from a file. */
export type ConfiguredOrigin =
  | Readonly<{ kind: 'secret'; secret: string; encoding: SecretEncoding; file?: string }>
  | Readonly<{ kind: 'public-key'; pem: string; file?: string }>
  /** `set` is the text of the file. */
  | Readonly<{ kind: 'jwks-file'; set: string; file: string }>

/** A key set that is fetched. `discovery` reads its address from the OpenID configuration of `issuer`. */
export type FetchedOrigin =
  | (Readonly<{ kind: 'jwks'; url: string }> & Fetching)
  | (Readonly<{ kind: 'discovery'; issuer: string; origins: readonly string[] }> & Fetching)

/** Where keys come from. */
export type KeyOrigin = ConfiguredOrigin | FetchedOrigin

/** A source of keys with the algorithms that it alone verifies: no two sources of an issuer share one. */
export type KeySource = Readonly<{ origin: KeyOrigin; algorithms: readonly Algorithm[] }>

export const isFetched = (origin: KeyOrigin): origin is FetchedOrigin =>
  origin.kind === 'jwks' || origin.kind === 'discovery'

/**
 * The algorithms that fit, the usual one first.
 * @throws for a public key that is none
 */
export function algorithmsFor(origin: KeyOrigin): readonly Algorithm[] {
  if (origin.kind === 'secret') return SECRET_ALGORITHMS
  return origin.kind === 'public-key' ? algorithmsOfKey(origin.pem) : PUBLIC_KEY_ALGORITHMS
}

/**
 * The algorithms to pin when none are named: one for a single key, the two that providers use for a key set.
 * @throws for a public key that is none
 */
export function defaultAlgorithms(origin: KeyOrigin): readonly Algorithm[] {
  const isSingle = origin.kind === 'secret' || origin.kind === 'public-key'
  return isSingle ? algorithmsFor(origin).slice(0, 1) : ['RS256', 'ES256']
}

/** The same text for two origins exactly when they are the same secret or the same public key. */
export function keyIdentity(origin: KeyOrigin): string | undefined {
  if (origin.kind === 'secret') return `secret ${secretBytes(origin.secret, origin.encoding)?.toString('hex')}`
  if (origin.kind !== 'public-key') return undefined
  return String(createPublicKey(origin.pem).export({ type: 'spki', format: 'pem' }))
}
