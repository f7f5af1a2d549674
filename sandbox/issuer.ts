import { SignJWT } from 'jose'

/** The identity provider of the sandbox. The secret is public: it is worth nothing anywhere else. */
export const SANDBOX_ISSUER = {
  issuer: 'https://login.sandbox.invalid',
  audience: 'oss-vend-sandbox',
  secret: 'sandbox-only-secret-that-is-published-in-the-repository',
} as const

/** What a sandbox token says beside issuer, audience and times. */
export type TokenRequest = Readonly<{
  sub: string
  claims?: Readonly<Record<string, unknown>>
  expiresSeconds?: number
}>

/** A token that the service accepts while it runs on the sandbox. `sub`, `exp` and the rest can be overridden by claims. */
export function mintToken({ sub, claims = {}, expiresSeconds = 3600 }: TokenRequest): Promise<string> {
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
    .sign(new TextEncoder().encode(SANDBOX_ISSUER.secret))
}
