import type { KeySource } from './key-source.ts'

/** A value of `iss`, compared character by character, and the `tid` that must stand beside it, if it names a tenant. */
export type IssuerValue = Readonly<{ iss: string; tenant?: string }>

/** Which claim names the caller. `integer` takes a number and no text, so that 1 and "1" never meet. */
export type SubjectRule = Readonly<{ path: readonly string[]; type: SubjectType }>

export const SUBJECT_TYPES = ['text', 'integer'] as const
export type SubjectType = (typeof SUBJECT_TYPES)[number]

/** Opts out of a check. Only an issuer whose secret or public key nobody else uses may have it. */
export const NONE = 'none'

/** Somebody whose tokens are believed, with everything that is pinned for them. */
export type Issuer = Readonly<{
  /** Short, operator-chosen, unique: what templates see as `${issuer}`. */
  name: string
  /** All that `iss` may be; `none` for tokens that have no `iss`. */
  issuer: readonly IssuerValue[] | typeof NONE
  /** A token must name at least one of these. */
  audience: readonly string[] | typeof NONE
  /** Where a token names them: `aud`, or a claim that holds one of them as text. */
  audienceClaim: readonly string[]
  subject: SubjectRule
  clockToleranceSeconds: number
  /** Accepted values of `typ`, see {@link DEFAULT_TYPES}. */
  allowedTypes?: readonly string[]
  /** A token that was issued longer ago is refused, and so is one that does not say when it was. */
  maxTokenAgeSeconds?: number
  /** The `alg` of a token chooses among them. */
  keys: readonly KeySource[]
  /** Claims as its provider makes them, for the linter: nothing of a token is compared with them. */
  typicalClaims?: Readonly<Record<string, string>>
  /** If anyone can have its tokens: a stranger's values of the claims that tell strangers apart, for the linter. */
  strangers?: Readonly<Record<string, string>>
}>

/** The short name grammar leaves out `.`, `/` and `@`, which join it to other parts of keys and session names. */
export const ISSUER_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/u

/**
 * The `typ` that tokens may have when nothing else is configured: none, which `absent` stands for, `JWT`, and that of
 * access tokens (RFC 9068). Tokens of the same issuer that mean something else have another.
 */
export const DEFAULT_TYPES: readonly string[] = ['absent', 'JWT', 'at+jwt']
