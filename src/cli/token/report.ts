import type { TokenConfig } from '../../config/token-config.ts'
import type { Caller } from '../../identity/caller.ts'
import { NONE } from '../../identity/issuer.ts'
import { malformation } from '../../identity/malformed.ts'
import { REFUSALS, type Reason } from '../../identity/refusals.ts'
import { subjectOf } from '../../identity/subject.ts'
import { readToken, type UnverifiedToken } from '../../identity/token.ts'
import { createIssuerFinder, type TrustedIssuer } from '../../identity/trusted-issuer.ts'
import { type ShownCheck, shownChecks } from './checks.ts'
import { nearestIssuer } from './nearest-issuer.ts'
import { droppedEntries, signatureCheck } from './signature.ts'
import { NOT_FETCHED, type Service, type Verdict } from './verdict.ts'

/** Everything that can be told about a token. It has neither the token nor its signature. */
export type Report = Readonly<{
  /** The service's answer: 200, 401 or 503; unknown if the keys were not fetched. */
  verdict: 'accepted' | 'refused' | 'unavailable' | 'undecided'
  /** The word of the service's log, and the same in words. */
  reason?: Reason
  means?: string
  bytes: number
  /** The issuer that the checks are about. `matched` is whether the token's `iss` is one of its own. */
  issuer?: Readonly<{ name: string; matched: boolean; nearest?: Readonly<{ iss: string; difference: string }> }>
  checks: readonly ShownCheck[]
  notes: readonly string[]
  /** What the token says, believed or not. */
  token?: Pick<UnverifiedToken, 'header' | 'payload'>
  /** The caller that it names; only `accepted` makes it true. */
  caller?: Caller
}>

type Context = Readonly<{ config: TokenConfig; service: Service; now: number }>

/** Finds out what the service would say about a token, and why. */
export async function reportOn(text: string, { config, service, now }: Context): Promise<Report> {
  const verdict = await service.judgement(text)
  const { fromFile, maxTokenBytes } = config
  const length = lengthCheck(text, maxTokenBytes)
  const told = { ...outcomeOf(verdict, service), bytes: text.length }
  const token = readToken(text)
  if (!token) return { ...told, checks: [length, formCheck(malformation(text))], notes: [] }
  const matched = createIssuerFinder(service.issuers)(token.payload)
  const near = matched ? undefined : nearestIssuer(token.payload.iss, service.issuers)
  const [only] = service.issuers.length === 1 ? service.issuers : []
  const trusted = matched ?? near?.trusted ?? only
  const shown = { ...told, token: { header: token.header, payload: token.payload } }
  if (!trusted) {
    return {
      ...shown,
      checks: [length, formCheck(undefined), strangerCheck(token, service.issuers)],
      notes: notesOn(token),
    }
  }
  const { name } = trusted.issuer
  const caller = verdict.accepted ? verdict.caller : callerIn(token, trusted)
  const signature = await signatureCheck(verdict, { token, trusted, service, fromFile })
  const checks = [
    length,
    formCheck(undefined),
    ...shownChecks(token, trusted.issuer, { now, fromFile, near }),
    signature,
  ]
  const nearest = near && { iss: near.iss, difference: near.difference }
  return {
    ...shown,
    issuer: { name, matched: matched !== undefined, ...(nearest && { nearest }) },
    checks,
    notes: [...notesOn(token), ...droppedEntries(service.lastFetch())],
    ...(caller && { caller }),
  }
}

function outcomeOf(verdict: Verdict, service: Service): Pick<Report, 'verdict' | 'reason' | 'means'> {
  if (verdict.accepted) return { verdict: 'accepted' }
  const { reason, status } = verdict
  const { means } = REFUSALS[reason]
  if (reason === 'keys' && service.lastFetch()?.result === NOT_FETCHED) return { verdict: 'undecided' }
  return { verdict: status === 401 ? 'refused' : 'unavailable', reason, means }
}

function lengthCheck({ length }: string, most: number): ShownCheck {
  const check = { name: 'length', passed: length <= most, found: length, wanted: `at most ${most} bytes` }
  if (check.passed) return check
  const { means, remedy, variable = '' } = REFUSALS.too_long
  return { ...check, why: means, reason: 'too_long', remedy, settings: [variable] }
}

function formCheck(fault: string | undefined): ShownCheck {
  if (fault === undefined) return { name: 'form', passed: true }
  return {
    name: 'form',
    passed: false,
    why: fault,
    reason: 'malformed',
    remedy: REFUSALS.malformed.remedy,
    settings: [],
  }
}

/** For a token that is near to no issuer. */
function strangerCheck({ payload }: UnverifiedToken, issuers: readonly TrustedIssuer[]): ShownCheck {
  const { means, remedy } = REFUSALS.issuer
  const wanted = issuers.map(
    ({ issuer }) => `${issuer.name}: ${issuer.issuer === NONE ? 'no iss at all' : (issuer.issuer[0]?.iss ?? '')}`,
  )
  return {
    name: 'issuer',
    passed: false,
    found: Object.hasOwn(payload, 'iss') ? payload.iss : 'missing',
    wanted: wanted.slice(0, 20).join(', '),
    why: means,
    reason: 'issuer',
    remedy,
    settings: ['JWT_ISSUERS_FILE'],
  }
}

/** The caller that a token names, as if it were believed. */
function callerIn(
  { payload }: UnverifiedToken,
  { issuer: { name, subject: rule } }: TrustedIssuer,
): Caller | undefined {
  const subject = subjectOf(payload, rule)
  if (subject === undefined) return undefined
  const expiresAt = typeof payload.exp === 'number' ? payload.exp * 1000 : 0
  return { issuer: name, subject, claims: { ...payload, sub: subject }, expiresAt }
}

/** Claims that OpenID Connect has for ID tokens alone. */
const ID_TOKEN_CLAIMS = ['nonce', 'at_hash', 'c_hash']

function notesOn({ payload }: UnverifiedToken): readonly string[] {
  const marks = ID_TOKEN_CLAIMS.filter((claim) => Object.hasOwn(payload, claim))
  if (marks.length === 0) return []
  return [`it has ${marks.join(' and ')}, as ID tokens have: they tell an app who has logged in. Send the access token`]
}
