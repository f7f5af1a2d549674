import { createHmac, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export const ISSUER = 'https://login.example.test'
export const AUDIENCE = 'https://api.example.test'

/** A key that signs tokens, and the settings of a service that trusts them. */
export type SigningKey = Readonly<{
  algorithm: 'HS256' | 'ES256'
  environment: Readonly<Record<string, string>>
  /** The secret, or the public key as PEM. */
  verificationKey: string
  sign: (input: string) => string
}>

/** Makes a key for this run. */
export function createSigningKey(algorithm: SigningKey['algorithm']): SigningKey {
  if (algorithm === 'HS256') {
    const secret = randomBytes(48).toString('base64')
    return {
      algorithm,
      environment: { JWT_SECRET: secret },
      verificationKey: secret,
      sign: (input) => createHmac('sha256', secret).update(input).digest('base64url'),
    }
  }
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const key = createPrivateKey(privateKey)
  return {
    algorithm,
    environment: { JWT_PUBLIC_KEY: publicKey },
    verificationKey: publicKey,
    sign: (input) => sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
  }
}

/**
 * A user's token for the template `user-upload`, valid for an hour. `id` makes it different from other tokens of the
 * user.
 */
export function mintToken(key: SigningKey, subject: string, id = 0): string {
  const now = Math.floor(Date.now() / 1000)
  const payload = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: subject,
    scope: 'oss.upload',
    jti: `${id}`,
    iat: now,
    exp: now + 3600,
  }
  const input = [{ alg: key.algorithm, typ: 'JWT' }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${input}.${key.sign(input)}`
}
