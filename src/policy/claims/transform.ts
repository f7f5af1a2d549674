import { createHash } from 'node:crypto'
import { nearest } from '../../lib/nearest.ts'
import { policyValue, VALUE_RULE } from '../language/value.ts'
import { parseClaim } from './claim.ts'

/** What a template can make of a claim before it enters a resource: `${jwt:sub|hash}`. */
export const TRANSFORMS = ['hash', 'lower', 'domain'] as const

export type Transform = (typeof TRANSFORMS)[number]

/** A claim as a template names it. `claim` is its name as written, `path` its steps into nested objects. */
export type NamedClaim = Readonly<{ claim: string; path: readonly string[]; transform?: Transform }>

/** `hash` keeps all values apart. Two values can have the same lower case or domain, and then they share a folder. */
export const isLossy = (transform: Transform | undefined): boolean => transform === 'lower' || transform === 'domain'

/** The claim as a template writes it. */
export const writeClaim = ({ claim, transform }: NamedClaim): string =>
  transform === undefined ? claim : `${claim}|${transform}`

/** Reads `<claim>` or `<claim>|<transform>`. A name that contains `|` stands in double quotes. */
export function parseNamedClaim(text: string): NamedClaim | Readonly<{ fault: string }> {
  const [, claim = '', transform] = /^((?:"[^"]*"|[^"|])*)(?:\|(.*))?$/su.exec(text) ?? []
  const path = parseClaim(claim)
  if (!path) return { fault: NOT_A_CLAIM }
  if (transform === undefined) return { claim, path }
  const known = TRANSFORMS.find((name) => name === transform)
  if (known) return { claim, path, transform: known }
  const meant = nearest(transform.trim().toLowerCase(), [...TRANSFORMS])
  return {
    fault: `${JSON.stringify(transform)} is not a transform: a claim takes one of ${TRANSFORMS.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
  }
}

export const NOT_A_CLAIM =
  'is not the name of a claim: a.b reaches into a, "a.b" in double quotes is one name, and so is "a|b"'

/** The longest text that is hashed. No issuer's subjects are longer, and a token of megabytes costs no time. */
const MAX_HASHED_BYTES = 1024
/** The length of every hash. */
export const HASH_CHARACTERS = 64
export const HASH_FORM = /^[0-9a-f]{64}$/u

// Two spellings of one host name, such as `x.ie` and `x.ie.`, would be two folders.
const HOST = /^[\p{L}\p{Nd}-]+(?:\.[\p{L}\p{Nd}-]+)*$/u

/** The text that a claim's value becomes in a policy; undefined if the value must not enter one. */
export function claimText(value: unknown, transform: Transform | undefined, issuer: string): string | undefined {
  switch (transform) {
    case undefined:
      return policyValue(value)
    case 'hash':
      return hashOf(value, issuer)
    case 'lower':
      return lowerCase(value)
    case 'domain':
      return domainOf(value)
  }
}

/** The rule in words, for callers whose claim breaks it. */
export function ruleFor(transform: Transform | undefined): string {
  if (transform === 'hash') return `1 to ${MAX_HASHED_BYTES} bytes of well-formed text`
  return transform === 'domain' ? 'an e-mail address: one @, and a host name after it' : VALUE_RULE
}

/**
 * SHA-256 of the issuer's short name and the value, each with its length in bytes before it: `3:app5:alice`. The lengths
 * keep the two apart, so no two issuers meet. The value is hashed as it is: an issuer that spells two subjects differently
 * means two people, whatever Unicode says of the spellings.
 */
function hashOf(value: unknown, issuer: string): string | undefined {
  const text = Number.isSafeInteger(value) ? String(value) : value
  if (typeof text !== 'string' || text === '' || text.length > MAX_HASHED_BYTES || !text.isWellFormed())
    return undefined
  if (Buffer.byteLength(text) > MAX_HASHED_BYTES) return undefined
  return createHash('sha256')
    .update(withLength(issuer) + withLength(text))
    .digest('hex')
}

const withLength = (text: string) => `${Buffer.byteLength(text)}:${text}`

function domainOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_HASHED_BYTES) return undefined
  const [name, host, ...more] = value.split('@')
  if (!name || host === undefined || more.length > 0 || !HOST.test(host)) return undefined
  return lowerCase(host)
}

// Checked before as well: the Kelvin sign, which is not in NFC, is a plain k in lower case.
const lowerCase = (value: unknown) => policyValue(policyValue(value)?.toLowerCase())
