import { DEFAULT_TYPES, type Issuer } from './issuer.ts'
import type { UnverifiedToken } from './token.ts'

/** Why a token with a good signature does not say what it must. */
export type MeaningFault = 'type' | 'date' | 'expired' | 'not_yet_valid' | 'issued_in_future' | 'too_old'

type Rules = Pick<Issuer, 'allowedTypes' | 'maxTokenAgeSeconds' | 'clockToleranceSeconds'>

/**
 * Seconds since 1970 have ten digits until 2286. A date in milliseconds has thirteen, and would make a token good for
 * fifty thousand years.
 */
const END_OF_DATES = 10_000_000_000

/**
 * Where issuers say by a claim what a token is for: Keycloak by `typ`, Cognito by `token_use`, Django and Flask by
 * `token_type` and `type`. Their refresh tokens have the issuer, the audience and the key of access tokens.
 */
export const PURPOSE_CLAIMS = ['typ', 'token_type', 'token_use', 'type', 'tokenType', 'tokenUse'] as const
const OTHER_PURPOSES = ['refresh', 'offline', 'logout']
/** Keycloak alone: at other providers an ID token may be the only one with an audience, as at Cognito. */
const OTHER_PURPOSES_OF_TYP = [...OTHER_PURPOSES, 'id']

/** Whether the token is one that callers are known by, and not a logout token, a DPoP proof or the like. */
export function typeFault({ header, payload }: UnverifiedToken, { allowedTypes }: Rules): MeaningFault | undefined {
  const allowed = (allowedTypes ?? DEFAULT_TYPES).map(mediaType)
  const { typ } = header
  // A token without a typ is not one whose typ is null.
  const type = Object.hasOwn(header, 'typ') ? (typeof typ === 'string' ? mediaType(typ) : undefined) : 'absent'
  if (type === undefined || !allowed.includes(type) || (type === 'absent' && typ !== undefined)) return 'type'
  for (const claim of PURPOSE_CLAIMS) {
    const purpose = purposeOf(payload[claim])
    const others = claim === 'typ' ? OTHER_PURPOSES_OF_TYP : OTHER_PURPOSES
    if (others.includes(purpose) && !allowed.includes(purpose)) return 'type'
  }
  // RFC 8417: what has events is a message between servers. OpenID Connect's logout tokens may have `typ: JWT`.
  return isObject(payload.events) ? 'type' : undefined
}

/** `refresh` of `Refresh`, `refresh_token` and `urn:ietf:params:oauth:token-type:refresh_token`. */
function purposeOf(value: unknown): string {
  if (typeof value !== 'string') return ''
  return value
    .trim()
    .toLowerCase()
    .replace(/^urn:.*:/u, '')
    .replace(/[\s_-]?token$|\+jwt$/u, '')
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

/** RFC 7515, 4.1.9: case does not matter, and `application/` is left out where no other slash is. */
const mediaType = (type: string) => type.toLowerCase().replace(/^application\/(?=[^/]*$)/u, '')

/** The dates of a token, as its claims have them. */
type Dates = Readonly<Record<string, unknown>>

/** Each check of a date, in the order in which they are told. `now` is epoch milliseconds. */
export const dateChecks = {
  expiry: ({ exp }: Dates, { clockToleranceSeconds }: Rules, now: number): MeaningFault | undefined => {
    if (!isDate(exp)) return 'date'
    return exp + clockToleranceSeconds <= now / 1000 ? 'expired' : undefined
  },
  'not before': ({ nbf }: Dates, { clockToleranceSeconds }: Rules, now: number): MeaningFault | undefined => {
    if (nbf === undefined) return undefined
    if (!isDate(nbf)) return 'date'
    return nbf - clockToleranceSeconds > now / 1000 ? 'not_yet_valid' : undefined
  },
  'issued at': ({ iat }: Dates, { clockToleranceSeconds }: Rules, now: number): MeaningFault | undefined => {
    if (iat === undefined) return undefined
    if (!isDate(iat)) return 'date'
    return iat - clockToleranceSeconds > now / 1000 ? 'issued_in_future' : undefined
  },
  age: (
    { iat }: Dates,
    { clockToleranceSeconds, maxTokenAgeSeconds }: Rules,
    now: number,
  ): MeaningFault | undefined => {
    if (maxTokenAgeSeconds === undefined) return undefined
    return !isDate(iat) || iat + maxTokenAgeSeconds + clockToleranceSeconds < now / 1000 ? 'too_old' : undefined
  },
} as const

/**
 * Whether the dates of a token make sense and hold now. Pure, and cheap enough to ask each time that a token is used:
 * a signature stays good, and a date does not.
 * @param now epoch milliseconds
 */
export function dateFault(claims: Dates, rules: Rules, now: number): MeaningFault | undefined {
  return (
    dateChecks.expiry(claims, rules, now) ??
    dateChecks['not before'](claims, rules, now) ??
    dateChecks['issued at'](claims, rules, now) ??
    dateChecks.age(claims, rules, now)
  )
}

function isDate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < END_OF_DATES
}
