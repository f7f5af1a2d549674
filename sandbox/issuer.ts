import { SignJWT } from 'jose'

/** The identity provider of the sandbox. Its secret is public and worthless anywhere else. */
export const SANDBOX_ISSUER = {
  issuer: 'https://login.sandbox.invalid',
  audience: 'oss-vend-sandbox',
  secret: 'sandbox-only-secret-that-is-published-in-the-repository',
} as const

/** The contents of a sandbox token besides issuer, audience and times. */
export type TokenRequest = Readonly<{
  sub: string
  claims?: Readonly<Record<string, unknown>>
  expiresSeconds?: number
  /** Of a service that trusts this issuer with a secret of its own. */
  secret?: string
}>

/** Makes a token that a service on the sandbox accepts. Claims override `sub`, `exp` and the rest. */
export function mintToken({
  sub,
  claims = {},
  expiresSeconds = 3600,
  secret = SANDBOX_ISSUER.secret,
}: TokenRequest): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({
    iss: SANDBOX_ISSUER.issuer,
    aud: SANDBOX_ISSUER.audience,
    iat: now,
    exp: now + expiresSeconds,
    sub,
    ...claims,
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(secret))
}
