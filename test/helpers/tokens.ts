import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

const rsa = once(() => generateKeyPairSync('rsa', { modulusLength: 2048 }))
const p256 = once(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const p384 = once(() => generateKeyPairSync('ec', { namedCurve: 'P-384' }))
const p521 = once(() => generateKeyPairSync('ec', { namedCurve: 'P-521' }))
const ed25519 = once(() => generateKeyPairSync('ed25519'))

/** Keys made for this run, one pair for each family of algorithms; each when it is first used, for RSA takes long. */
export const keys = {
  hmac: 'fixture-secret-of-more-than-thirty-two-bytes-for-tests-only-0123',
  get rsa() {
    return rsa()
  },
  get p256() {
    return p256()
  },
  get p384() {
    return p384()
  },
  get p521() {
    return p521()
  },
  get ed25519() {
    return ed25519()
  },
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

export const ISSUER = 'https://login.example.test'
export const AUDIENCE = 'https://api.example.test'

/**
 * Claims that the test issuer's configuration accepts, by every clock that a test may set: they are good for two days
 * and more, and do not say since when.
 */
export function claims(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  // Whole days, so that the same claims give the same token throughout a test.
  const exp = Math.ceil(Date.now() / 86_400_000 + 2) * 86_400
  return { iss: ISSUER, aud: AUDIENCE, sub: 'alice', scope: 'oss.upload', exp, ...overrides }
}

/** Mints like an issuer would; `alg` picks the key. Written by hand because it must also mint what no library would. */
export function mint(
  payload: Record<string, unknown> | string,
  header: Record<string, unknown> = {},
  key: KeyObject | string = keyFor(String(header.alg ?? 'HS256')),
): string {
  const fullHeader = { alg: 'HS256', typ: 'JWT', ...header }
  const input = [JSON.stringify(fullHeader), typeof payload === 'string' ? payload : JSON.stringify(payload)]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')
  return `${input}.${signature(String(fullHeader.alg), input, key)}`
}

function keyFor(alg: string): KeyObject | string {
  if (alg.startsWith('RS') || alg.startsWith('PS')) return keys.rsa.privateKey
  if (alg === 'ES256') return keys.p256.privateKey
  if (alg === 'ES384') return keys.p384.privateKey
  if (alg === 'ES512') return keys.p521.privateKey
  return alg === 'EdDSA' ? keys.ed25519.privateKey : keys.hmac
}

function signature(alg: string, input: string, key: KeyObject | string): string {
  if (alg === 'none') return ''
  const hash = `sha${alg.slice(2)}`
  if (typeof key === 'string' || key.type === 'secret') return createHmac(hash, key).update(input).digest('base64url')
  const padding = alg.startsWith('PS') ? { padding: 6, saltLength: Number(alg.slice(2)) / 8 } : {}
  const options = { key, ...padding, ...(alg.startsWith('ES') && { dsaEncoding: 'ieee-p1363' as const }) }
  return sign(alg === 'EdDSA' ? null : hash, Buffer.from(input), options).toString('base64url')
}

export const pem = (key: KeyObject): string => String(key.export({ type: 'spki', format: 'pem' }))
