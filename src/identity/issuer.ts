import { createPublicKey } from 'node:crypto'
import { z } from 'zod'
import { isLoopback } from '../lib/address.ts'
import { shapeFault } from '../lib/secret-shape.ts'
import { isStrongSecret } from '../lib/secret-strength.ts'

const HMAC = ['HS256', 'HS384', 'HS512'] as const
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** The JWS algorithms that can be pinned. `none` is not one of them. */
export const ALGORITHMS = [...HMAC, ...ASYMMETRIC] as const
export type Algorithm = (typeof ALGORITHMS)[number]

/** Where the keys of an issuer come from. `discovery` reads the JWKS address from the issuer's OpenID configuration. */
export type KeyOrigin =
  | Readonly<{ kind: 'secret'; secret: string }>
  | Readonly<{ kind: 'public-key'; pem: string }>
  | Readonly<{ kind: 'jwks'; url: string; maxAgeSeconds: number }>
  | Readonly<{ kind: 'discovery'; origins: readonly string[]; maxAgeSeconds: number }>

/** Somebody whose tokens are believed, with everything that is pinned for them. */
export type Issuer = Readonly<{
  /** Short, operator-chosen, unique: what templates see as `${issuer}`. */
  name: string
  /** Compared with `iss` character by character. */
  issuer: string
  /** A token must carry at least one of these in `aud`. */
  audience: readonly string[]
  algorithms: readonly Algorithm[]
  clockToleranceSeconds: number
  /** Accepted values of `typ`, see {@link DEFAULT_TYPES}. */
  allowedTypes?: readonly string[]
  /** A token that was issued longer ago is refused, and so is one that does not say when it was. */
  maxTokenAgeSeconds?: number
  keys: KeyOrigin
  /** Where the key stands, when it was read from a file. */
  keyFile?: string
}>

/** The short name grammar leaves out `.`, `/` and `@`, which join it to other parts of keys and session names. */
export const ISSUER_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/u

/** Bounds of the age after which a fetched key set verifies nothing. */
export const JWKS_MAX_AGE_SECONDS = { least: 60, most: 2_592_000 } as const

/** Where a discovered key set may lie, beside the issuer's own host. No pattern: `*` would match nothing, in silence. */
export const jwksOriginSchema = z.string().refine((text) => {
  const isOrigin = URL.canParse(text) && new URL(text).origin === text && !text.includes('*')
  return isOrigin && addressFaults(text).length === 0
})
/**
 * The `typ` that tokens may have when nothing else is configured: none, which `absent` stands for, `JWT`, and that of
 * access tokens (RFC 9068). Tokens of the same issuer that mean something else have another.
 */
export const DEFAULT_TYPES: readonly string[] = ['absent', 'JWT', 'at+jwt']

/** One of the types that are allowed. */
export const tokenType = z.string().regex(/^[\w!#$&^.+-]{1,64}(?:\/[\w!#$&^.+-]{1,64})?$/u)

/** A year: a longer bound is none. */
export const MAX_TOKEN_AGE_SECONDS = 31_536_000

/** One entry of the issuers file. */
export const issuerEntrySchema = z.strictObject({
  name: z.string().regex(ISSUER_NAME, 'must be 1 to 32 of a-z, 0-9 and -'),
  issuer: z.string().min(1),
  audience: z.union([
    z
      .string()
      .min(1)
      .transform((one) => [one]),
    z.array(z.string().min(1)).min(1),
  ]),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).optional(),
  secret: z.string().min(1).optional(),
  secretFile: z.string().min(1).optional(),
  publicKey: z.string().min(1).optional(),
  publicKeyFile: z.string().min(1).optional(),
  jwksUrl: z.string().min(1).optional(),
  clockToleranceSeconds: z.int().min(0).max(300).optional(),
  jwksMaxAgeSeconds: z.int().min(JWKS_MAX_AGE_SECONDS.least).max(JWKS_MAX_AGE_SECONDS.most).optional(),
  jwksOrigins: z.array(jwksOriginSchema).min(1).optional(),
  allowedTypes: z.array(tokenType).min(1).optional(),
  maxTokenAgeSeconds: z.int().min(1).max(MAX_TOKEN_AGE_SECONDS).optional(),
})

/** A fault of an issuer's configuration. A sandbox accepts `weak` ones. */
export type IssuerFault = Readonly<{ rule: string; remedy: string; weak?: true }>

/** The algorithms that fit a key, the first being the default. */
export function algorithmsFor(keys: KeyOrigin): readonly Algorithm[] {
  if (keys.kind === 'secret') return HMAC
  if (keys.kind !== 'public-key') return ASYMMETRIC
  const key = createPublicKey(keys.pem)
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
    case 'rsa-pss':
      return ['PS256', 'PS384', 'PS512']
    case 'ed25519':
      return ['EdDSA']
    case 'ec':
      return CURVE_ALGORITHMS[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? []
    default:
      return []
  }
}

const CURVE_ALGORITHMS: Readonly<Record<string, readonly Algorithm[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
}

/** The algorithms to pin when none are named: one for a single key, the two that providers use for a key set. */
export function defaultAlgorithms(keys: KeyOrigin): readonly Algorithm[] {
  return keys.kind === 'jwks' || keys.kind === 'discovery' ? ['RS256', 'ES256'] : algorithmsFor(keys).slice(0, 1)
}

/** Checks what the schema cannot: that key, algorithms and addresses belong together and are strong enough. */
export function issuerFaults({ keys, algorithms, issuer }: Issuer): IssuerFault[] {
  const faults: IssuerFault[] = []
  const fitting = keys.kind === 'public-key' && !isPublicKey(keys.pem) ? undefined : algorithmsFor(keys)
  if (!fitting) {
    return [{ rule: 'must be a PEM public key', remedy: 'paste the SPKI block that starts with BEGIN PUBLIC KEY' }]
  }
  const misfits = algorithms.filter((algorithm) => !fitting.includes(algorithm))
  if (misfits.length > 0 || algorithms.length === 0) {
    faults.push({
      rule: `the algorithms must fit the key, ${misfits.length > 0 ? `and ${misfits.join(', ')} does not` : 'and none does'}`,
      remedy:
        fitting.length > 0 ? `choose from ${fitting.join(', ')}` : 'use an RSA, P-256, P-384, P-521 or Ed25519 key',
    })
  }
  if (keys.kind === 'secret') {
    const shape = shapeFault(keys.secret)
    // Not a weak one, which a sandbox may have: a public key signs for anybody.
    if (shape) return [...faults, shape]
    const needed = Math.max(...algorithms.map((algorithm) => Number(algorithm.slice(2)) / 8 || 0))
    const remedy = 'generate one: openssl rand -base64 48'
    const weak = (rule: string) => faults.push({ rule, remedy, weak: true })
    if (Buffer.byteLength(keys.secret) < needed) {
      weak(`an HMAC secret must have at least ${needed} bytes for ${algorithms.join(', ')}`)
    } else if (keys.secret.startsWith('sandbox-only-')) {
      weak("must not be the sandbox's, which is published")
    } else if (!isStrongSecret(keys.secret)) {
      weak('must not be easy to guess, as words, repeats, sequences, dates and published examples are')
    }
  }
  if (keys.kind === 'public-key') {
    const bits = createPublicKey(keys.pem).asymmetricKeyDetails?.modulusLength
    if (bits !== undefined && bits < 2048) {
      faults.push({ rule: 'an RSA key must have at least 2048 bits', remedy: 'have the issuer rotate to a longer key' })
    }
  }
  const address = keys.kind === 'jwks' ? keys.url : keys.kind === 'discovery' ? issuer : undefined
  // Some providers tell their tenants' key sets apart by a query.
  if (address !== undefined) faults.push(...addressFaults(address, { query: keys.kind === 'jwks' }))
  return faults
}

/** Faults of an address that keys or credentials come from. Plain http is for loopback only. */
export function addressFaults(address: string, allow: Readonly<{ query: boolean }> = { query: false }): IssuerFault[] {
  if (!URL.canParse(address)) {
    return [{ rule: 'must be an absolute URL', remedy: 'write it with https:// and a host' }]
  }
  const url = new URL(address)
  const faults: IssuerFault[] = []
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    faults.push({ rule: 'must be an https URL', remedy: 'write it with https://' })
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    faults.push({
      rule: 'must not use plain http, except to loopback',
      remedy: 'use https: whoever sits on the path could otherwise answer in its place',
      weak: true,
    })
  }
  if (url.username || url.password || url.hash || (url.search && !allow.query)) {
    const extras = allow.query ? 'credentials or a fragment' : 'credentials, a query or a fragment'
    faults.push({ rule: `must not carry ${extras}`, remedy: 'write scheme, host, port, path' })
  }
  return faults
}

function isPublicKey(pem: string): boolean {
  // createPublicKey would also take a private key and derive the public one: a private key has no business here.
  if (!/-----BEGIN (?:RSA )?PUBLIC KEY-----|-----BEGIN CERTIFICATE-----/u.test(pem) || /PRIVATE KEY/u.test(pem)) {
    return false
  }
  try {
    createPublicKey(pem)
    return true
  } catch {
    return false
  }
}
