import { createPublicKey } from 'node:crypto'

const HMAC = ['HS256', 'HS384', 'HS512'] as const
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** The JWS algorithms that can be pinned. `none` is not one of them. */
export const ALGORITHMS = [...HMAC, ...ASYMMETRIC] as const
export type Algorithm = (typeof ALGORITHMS)[number]

/** No algorithm is in both: the `alg` of a token decides whether a secret or a public key verifies it. */
export const SECRET_ALGORITHMS: readonly Algorithm[] = HMAC
export const PUBLIC_KEY_ALGORITHMS: readonly Algorithm[] = ASYMMETRIC

const CURVE_ALGORITHMS: Readonly<Record<string, readonly Algorithm[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
}

/**
 * The algorithms that fit a public key, the usual one first.
 * @throws for what is no public key
 */
export function algorithmsOfKey(pem: string): readonly Algorithm[] {
  const key = createPublicKey(pem)
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
