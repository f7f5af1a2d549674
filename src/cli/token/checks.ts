import { VARIABLES } from '../../config/single-issuer.ts'
import { DEFAULT_TYPES, type Issuer, NONE } from '../../identity/issuer.ts'
import type { EntryField } from '../../identity/issuer-entry.ts'
import { type Check, judge } from '../../identity/judge.ts'
import { PURPOSE_CLAIMS } from '../../identity/meaning.ts'
import { REFUSALS, type Reason } from '../../identity/refusals.ts'
import type { UnverifiedToken } from '../../identity/token.ts'
import { claimAt } from '../../lib/claim-path.ts'
import type { NearIssuer } from './nearest-issuer.ts'

/** One check for people: a tick, a cross, or neither when nobody can know. */
export type ShownCheck = Readonly<{
  name: string
  /** Undefined when it was not made. */
  passed: boolean | undefined
  /** The value in the token. */
  found?: unknown
  /** What the value means, or what is in its place: words of this program, which a terminal shows without quotes. */
  note?: string
  /** The value that the service accepts. */
  wanted?: string
  /** The fault, or the reason why the check was not made. */
  why?: string
  reason?: Reason
  remedy?: string
  settings?: readonly string[]
}>

/** Where an operator finds a field: its variable, or its place in the issuers file. */
export function settingName(field: EntryField, { name }: Pick<Issuer, 'name'>, fromFile: boolean): string {
  const variables: Readonly<Partial<Record<EntryField, string>>> = VARIABLES
  const variable = variables[field]
  return fromFile || variable === undefined ? `${field} of ${name} in JWT_ISSUERS_FILE` : variable
}

/** Every check of {@link judge} in words. */
export function shownChecks(
  token: UnverifiedToken,
  issuer: Issuer,
  { now, fromFile, near }: Readonly<{ now: number; fromFile: boolean; near: NearIssuer | undefined }>,
): readonly ShownCheck[] {
  return judge(token, issuer, now).map((check): ShownCheck => {
    const { name, fault, setting } = check
    const values = valuesFor(check, token, issuer, now)
    const isMissing = fault !== undefined && values.found === undefined && values.note === undefined
    const shown = { name, passed: fault === undefined, ...values, ...(isMissing && { note: MISSING }) }
    if (fault === undefined) return shown
    const { means, remedy } = REFUSALS[fault]
    // Some faults have no setting that would make them good: the token is wrong.
    const settings = fault === 'date' ? [] : [settingName(setting, issuer, fromFile)]
    if (setting === 'audienceClaim') {
      const why = `it has no claim ${issuer.audienceClaim.join('.')}`
      return { ...shown, why, reason: fault, remedy: 'name the claim that has the audience', settings }
    }
    const why = fault === 'issuer' && near ? `${means}: ${near.difference}` : means
    return { ...shown, why, reason: fault, remedy, settings }
  })
}

/** Stands in the report for a claim that the token lacks. */
const MISSING = 'missing'

type Values = Pick<ShownCheck, 'found' | 'note' | 'wanted'>

function valuesFor({ name }: Check, { header, payload }: UnverifiedToken, issuer: Issuer, now: number): Values {
  const tolerance = `${issuer.clockToleranceSeconds} s of tolerance`
  switch (name) {
    case 'issuer':
      return {
        found: payload.iss,
        wanted: issuer.issuer === NONE ? 'no iss at all' : listed(issuer.issuer.map(({ iss }) => iss)),
      }
    case 'tenant': {
      const own = issuer.issuer === NONE ? undefined : issuer.issuer.find(({ iss }) => iss === payload.iss)
      return own?.tenant === undefined
        ? { wanted: 'any, as the issuer names no tenants' }
        : { found: payload.tid, wanted: own.tenant }
    }
    case 'algorithm':
      return { found: header.alg, wanted: listed(issuer.keys.flatMap(({ algorithms }) => algorithms)) }
    case 'type':
      return { ...typesIn({ header, payload }), wanted: listed(issuer.allowedTypes ?? DEFAULT_TYPES) }
    case 'audience': {
      const wanted = issuer.audience === NONE ? 'any, as the audience is none' : listed(issuer.audience)
      return { found: claimAt(payload, issuer.audienceClaim), wanted: `${wanted} in ${issuer.audienceClaim.join('.')}` }
    }
    case 'subject': {
      const { path, type } = issuer.subject
      const wanted = `${type === 'text' ? 'text' : 'a whole number'} in ${path.join('.')}`
      return { found: claimAt(payload, path), wanted }
    }
    case 'expiry':
      return { ...dated(payload.exp), wanted: `after ${iso(now)}, ${tolerance}` }
    case 'not before':
      return payload.nbf === undefined
        ? { note: 'none in the token' }
        : { ...dated(payload.nbf), wanted: `${iso(now)} or before, ${tolerance}` }
    case 'issued at':
      return payload.iat === undefined
        ? { note: 'none in the token' }
        : { ...dated(payload.iat), wanted: `${iso(now)} or before, ${tolerance}` }
    case 'age': {
      const { maxTokenAgeSeconds: most } = issuer
      return most === undefined
        ? { wanted: 'any, as no greatest age is set' }
        : { ...dated(payload.iat), wanted: `at most ${most} s before ${iso(now)}` }
    }
  }
}

/** The `typ` of the header, and the claims that say what a token is for. */
function typesIn({ header, payload }: Pick<UnverifiedToken, 'header' | 'payload'>): Values {
  const purposes = [...PURPOSE_CLAIMS, 'events'].filter((claim) => Object.hasOwn(payload, claim))
  const hasTyp = Object.hasOwn(header, 'typ')
  if (purposes.length === 0) return hasTyp ? { found: header.typ } : { note: 'absent' }
  const claims = Object.fromEntries(purposes.map((claim) => [claim, payload[claim]]))
  return { found: { ...(hasTyp && { header: header.typ }), claims } }
}

const MOST_LISTED = 8
const listed = (values: readonly string[]) =>
  values.length <= MOST_LISTED
    ? values.join(' or ')
    : `${values.slice(0, MOST_LISTED).join(' or ')} or one of ${values.length - MOST_LISTED} more`

const iso = (milliseconds: number) => new Date(milliseconds).toISOString()

/** A date with what it means, if it is one. */
function dated(value: unknown): Values {
  const isDate = typeof value === 'number' && Math.abs(value) < 8_640_000_000_000
  return isDate ? { found: value, note: iso(value * 1000) } : { found: value }
}
