/**
 * An authenticated user: an issuer **and** a subject, since two issuers may both know an `alice`. Nothing below the
 * HTTP layer sees the token that proved it.
 */
export type Caller = Readonly<{
  /** The configured short name of the token's issuer. */
  issuer: string
  subject: string
  /** Every verified claim of the token, `sub` among them. */
  claims: Readonly<Record<string, unknown>>
  /** When the token ends by its `exp`, epoch milliseconds. */
  expiresAt: number
}>
