import { claimAt } from '../lib/claim-path.ts'
import { type Issuer, NONE } from './issuer.ts'
import type { EntryField } from './issuer-entry.ts'
import { dateChecks, type MeaningFault, typeFault } from './meaning.ts'
import { isExactNumber, subjectOf } from './subject.ts'
import type { UnverifiedToken } from './token.ts'

/** What a token can be refused for without a key. */
export type TokenFault = 'issuer' | 'tenant' | 'algorithm' | 'audience' | 'subject' | MeaningFault

/** One check of a token against one issuer. */
export type Check = Readonly<{
  name: 'issuer' | 'tenant' | 'algorithm' | 'type' | 'audience' | 'subject' | keyof typeof dateChecks
  /** One word for the log; undefined when the check passes. */
  fault: TokenFault | undefined
  /** The field of the issuer's entry that decides it. */
  setting: EntryField
}>

/**
 * Every check of a token that needs no key, in the order in which faults are told. Pure. The signature is not checked
 * here, so that a token which passes is still anybody's.
 * @param now epoch milliseconds
 */
export function judge(token: UnverifiedToken, issuer: Issuer, now: number): readonly Check[] {
  return [...identityChecks(token, issuer), ...checksOfDates(token, issuer, now)]
}

/**
 * Whether a token is one of this issuer's, for this service, and about somebody. Asked before its key is looked up; dates
 * are not, as a forged token must tell its forger nothing about them.
 */
export function identityChecks(token: UnverifiedToken, issuer: Issuer): readonly Check[] {
  const { header, payload } = token
  return [
    check('issuer', 'issuer', isFrom(issuer, payload) ? undefined : 'issuer'),
    check('tenant', 'tenants', isOfItsTenant(issuer, payload) ? undefined : 'tenant'),
    check('algorithm', 'algorithms', sourceFor(issuer, header.alg) ? undefined : 'algorithm'),
    check('type', 'allowedTypes', typeFault(token, issuer)),
    audienceCheck(issuer, payload),
    subjectCheck(issuer, token),
  ]
}

function checksOfDates({ payload }: UnverifiedToken, issuer: Issuer, now: number): readonly Check[] {
  return [
    check('expiry', 'clockToleranceSeconds', dateChecks.expiry(payload, issuer, now)),
    check('not before', 'clockToleranceSeconds', dateChecks['not before'](payload, issuer, now)),
    check('issued at', 'clockToleranceSeconds', dateChecks['issued at'](payload, issuer, now)),
    check('age', 'maxTokenAgeSeconds', dateChecks.age(payload, issuer, now)),
  ]
}

const check = (name: Check['name'], setting: EntryField, fault: TokenFault | undefined): Check => ({
  name,
  setting,
  fault,
})

type Claims = UnverifiedToken['payload']

/** The value of `iss` that a token has, out of those that the issuer may have. */
function issuerValue({ issuer }: Issuer, { iss }: Claims) {
  return issuer === NONE ? undefined : issuer.find((value) => value.iss === iss)
}

/** A token that has an `iss`, whatever it is, is not of an issuer that has none. */
function isFrom(issuer: Issuer, payload: Claims): boolean {
  return issuer.issuer === NONE ? !Object.hasOwn(payload, 'iss') : issuerValue(issuer, payload) !== undefined
}

function isOfItsTenant(issuer: Issuer, payload: Claims): boolean {
  const tenant = issuerValue(issuer, payload)?.tenant
  return tenant === undefined || payload.tid === tenant
}

/** The one source whose keys may verify a token with this `alg`. */
export function sourceFor({ keys }: Issuer, alg: unknown): Issuer['keys'][number] | undefined {
  return keys.find(({ algorithms }) => algorithms.some((one) => one === alg))
}

function audienceCheck({ audience, audienceClaim }: Issuer, payload: Claims): Check {
  const named = claimAt(payload, audienceClaim)
  const setting = named === undefined ? 'audienceClaim' : 'audience'
  // RFC 7519 allows a list for `aud` alone. A list in another claim says something else.
  const isAud = audienceClaim.length === 1 && audienceClaim[0] === 'aud'
  const all: readonly unknown[] = isAud && Array.isArray(named) ? named : [named]
  const isText = all.every((one) => typeof one === 'string')
  const passes = audience === NONE || (isText && all.some((one) => audience.some((wanted) => wanted === one)))
  return { name: 'audience', setting, fault: passes ? undefined : 'audience' }
}

function subjectCheck({ subject }: Issuer, { payload, json }: UnverifiedToken): Check {
  const found = subjectOf(payload, subject)
  const isExact = found !== undefined && (subject.type === 'text' || isExactNumber(json, found))
  const isOther = typeof claimAt(payload, subject.path) === (subject.type === 'text' ? 'number' : 'string')
  return { name: 'subject', setting: isOther ? 'subjectType' : 'subject', fault: isExact ? undefined : 'subject' }
}
