import type { EntryField } from './issuer-entry.ts'
import type { TokenFault } from './judge.ts'

/** Why a token is refused: one word for the log, never for the caller. The last two are answered 503. */
export type Reason = 'too_long' | 'malformed' | 'key' | 'signature' | TokenFault | 'keys' | 'unknown_key'

/** A reason in words, for operators. */
export type Refusal = Readonly<{
  /** What is wrong with the token. */
  means: string
  /** What to do about it. */
  remedy: string
  /** The fields of an issuer that decide it. */
  fields: readonly EntryField[]
  /** The variable that decides it for every issuer. */
  variable?: 'JWT_MAX_BYTES'
}>

const KEYS: readonly EntryField[] = ['jwksUrl', 'jwksFile']

/** The one table of reasons: `oss-vend token inspect` shows its words, and docs/configuration.md has all of it. */
export const REFUSALS: Readonly<Record<Reason, Refusal>> = {
  too_long: {
    means: 'it is longer than the limit',
    remedy: 'ask the provider for fewer claims, or raise the limit',
    fields: [],
    variable: 'JWT_MAX_BYTES',
  },
  malformed: {
    means: 'it is not a signed JWT, or it can be read in two ways',
    remedy: 'send the access token itself, whole and unchanged',
    fields: [],
  },
  issuer: {
    means: 'no issuer has this `iss`',
    remedy: 'write the `iss` of the token, character by character: mind a slash at its end',
    fields: ['issuer'],
  },
  tenant: {
    means: '`tid` is not the tenant of `iss`',
    remedy: 'add the tenant if you trust it; do not trust a token whose `tid` and `iss` disagree',
    fields: ['tenants'],
  },
  algorithm: {
    means: 'no source of keys has this `alg`',
    remedy: 'name the algorithm if the key fits it, or add a second source of keys',
    fields: ['algorithms'],
  },
  type: {
    means: 'it is another kind of token, such as a refresh token',
    remedy: 'send the access token, or allow the type if callers may be known by it',
    fields: ['allowedTypes'],
  },
  audience: {
    means: 'it is for another app',
    remedy: "ask the provider for a token for this service's API, or name this audience if it stands for your app",
    fields: ['audience', 'audienceClaim'],
  },
  subject: {
    means: 'it names no user, or not by a value of the expected type',
    remedy: 'name the claim that has the user, and whether it is text or a whole number',
    fields: ['subject', 'subjectType'],
  },
  key: {
    means: 'the key set has no key with this `kid` and `alg`',
    remedy: 'check that the key set is the one of the issuer that signed the token',
    fields: KEYS,
  },
  signature: {
    means: 'it is not signed with the key',
    remedy: 'check the key, and for a secret how its bytes are written',
    fields: ['secret', 'secretEncoding', 'publicKey', ...KEYS],
  },
  date: {
    means: '`exp`, `nbf` or `iat` is missing or no date',
    remedy: 'let the provider write seconds since 1970, as a number; `exp` is required',
    fields: [],
  },
  expired: {
    means: 'its `exp` is over',
    remedy: 'fetch a new token; raise the tolerance only if clocks are off',
    fields: ['clockToleranceSeconds'],
  },
  not_yet_valid: {
    means: 'its `nbf` is in the future',
    remedy: 'compare the clocks; raise the tolerance by the difference',
    fields: ['clockToleranceSeconds'],
  },
  issued_in_future: {
    means: 'its `iat` is in the future',
    remedy: 'compare the clocks; raise the tolerance by the difference',
    fields: ['clockToleranceSeconds'],
  },
  too_old: {
    means: 'it was issued too long ago, or has no `iat`',
    remedy: 'fetch a new token, or raise the greatest age',
    fields: ['maxTokenAgeSeconds'],
  },
  keys: {
    means: 'the issuer has no usable keys (503): they could not be fetched',
    remedy: 'see why the fetch fails: the address, the network, the certificate',
    fields: ['jwksUrl', 'jwksTimeoutMs', 'jwksMaxBytes'],
  },
  unknown_key: {
    means: 'its key cannot be looked up now (503)',
    remedy: 'try again; if it lasts, see why the fetch fails',
    fields: ['jwksUrl'],
  },
}

export const isReason = (text: unknown): text is Reason => typeof text === 'string' && Object.hasOwn(REFUSALS, text)
