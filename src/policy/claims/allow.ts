import { z } from 'zod'
import { VendError } from '../../errors.ts'
import { oneOrMany } from '../language/document.ts'
import { choicesIn } from './choice.ts'
import { claimAt, quoteClaim, sameClaim } from './claim.ts'
import { type ClaimCondition, claimsSchema, failureOf, testClaim } from './condition.ts'

/** The caller, as far as conditions need it. */
export type Subject = Readonly<{ issuer: string; claims: Readonly<Record<string, unknown>> }>

const terms = {
  issuer: oneOrMany.describe('Short names of issuers, one of which issued the token.').optional(),
  claims: claimsSchema.describe('Conditions on the claims of the token. All must hold.').optional(),
}

const alternativeSchema = z
  .strictObject(terms)
  .refine(({ issuer, claims }) => issuer || claims, 'must have at least one condition')

/** Who may have a policy: every condition must hold, and at least one of the alternatives. */
export const allowSchema = z
  .strictObject({
    ...terms,
    any: z.array(alternativeSchema).min(1).describe('Alternatives: at least one of them must hold.').optional(),
  })
  // `allow: {}` would hold for everybody, and it remains when somebody deletes the last condition.
  .refine(
    ({ issuer, claims, any }) => issuer || claims || any,
    'must have at least one condition; for all users of an issuer, name the issuer',
  )

/** A claim that a resource is named after, or that a parameter chooses from (`choice`). */
export type NeededClaim = Readonly<{ claim: string; path: readonly string[]; choice: boolean }>

/** The conditions of a template: a claim that a resource or a parameter uses is one as well. */
type Conditional = Readonly<{
  allow?: z.output<typeof allowSchema> | undefined
  neededClaims: readonly NeededClaim[]
}>

type Terms = Readonly<{ issuer?: readonly string[] | undefined; claims?: readonly ClaimCondition[] | undefined }>

/** One condition: `told` is for the caller (never an accepted value), `needs` and `had` for the operator. */
export type Check = Readonly<{ held: boolean; told: string; needs: string; had: unknown }>

/** All conditions for one caller; `alternatives` has those of each entry of `any`. */
export type Checks = Readonly<{ held: boolean; always: readonly Check[]; alternatives: readonly (readonly Check[])[] }>

/**
 * The first condition that fails, in words for the caller: the claim's name, never the values that would pass. Undefined
 * when all hold. A template without `allow` is for nobody.
 */
export function unmetCondition(template: Conditional, subject: Subject, at: number): string | undefined {
  const { allow } = template
  if (!allow) return NOBODY
  const unmet = firstUnmet(allow, subject, at)
  if (unmet !== undefined) return unmet
  if (allow.any) {
    const failures = allow.any.map((terms) => firstUnmet(terms, subject, at))
    if (!failures.includes(undefined)) return `no alternative holds: ${[...new Set(failures)].join('; or ')}`
  }
  for (const needed of template.neededClaims) {
    const unmet = unmetNeed(needed, subject)
    if (unmet !== undefined) return unmet
  }
  return undefined
}

function unmetNeed({ claim, path, choice }: NeededClaim, { claims }: Subject): string | undefined {
  const value = claimAt(claims, path)
  if (value === undefined) return `claim ${quoteClaim(claim)} is missing`
  return choice && choicesIn(value).length === 0 ? `claim ${quoteClaim(claim)} holds nothing to choose from` : undefined
}

/**
 * @param at epoch milliseconds
 * @throws {VendError} `policy_not_allowed`, with the {@link unmetCondition}
 */
export function requireConditions(template: Conditional, subject: Subject, at = Date.now()): void {
  const unmet = unmetCondition(template, subject, at)
  if (unmet !== undefined) throw new VendError('policy_not_allowed', { detail: unmet })
}

/** Every condition, whether it holds or not. */
export function checkConditions(template: Conditional, subject: Subject, at: number): Checks {
  const { allow } = template
  if (!allow)
    return { held: false, always: [{ held: false, told: NOBODY, needs: 'an allow', had: undefined }], alternatives: [] }
  const needed = template.neededClaims.map((one): Check => {
    const told = unmetNeed(one, subject)
    return {
      held: told === undefined,
      told: told ?? '',
      needs: one.choice
        ? `${one.claim} holds a value to choose, for a parameter`
        : `${one.claim} is there, for a resource`,
      had: claimAt(subject.claims, one.path),
    }
  })
  return {
    held: unmetCondition(template, subject, at) === undefined,
    always: [...checksOf(allow, subject, at), ...needed],
    alternatives: (allow.any ?? []).map((terms) => [...checksOf(terms, subject, at)]),
  }
}

/** The configured issuers whose callers can meet the conditions. */
export function allowedIssuers(
  { allow }: Pick<Conditional, 'allow'>,
  configured: readonly string[],
): readonly string[] {
  const named = (terms: Terms) => configured.filter((issuer) => !terms.issuer || terms.issuer.includes(issuer))
  if (!allow) return []
  return named(allow).filter((issuer) => !allow.any || allow.any.some((terms) => named(terms).includes(issuer)))
}

/** The conditions on a claim that every caller of the template meets. */
export function conditionsOn(
  { allow }: Pick<Conditional, 'allow'>,
  path: readonly string[],
): readonly ClaimCondition[] {
  const on = (terms: Terms) => (terms.claims ?? []).filter((condition) => sameClaim(condition.path, path))
  const alternatives = allow?.any?.map(on) ?? []
  return [...on(allow ?? {}), ...(alternatives.every((found) => found.length > 0) ? alternatives.flat() : [])]
}

const NOBODY = 'this policy is for nobody: it has no allow'
const WRONG_ISSUER = "the token's issuer is not accepted"

function firstUnmet({ issuer, claims = [] }: Terms, subject: Subject, at: number): string | undefined {
  if (issuer && !issuer.includes(subject.issuer)) return WRONG_ISSUER
  for (const condition of claims) {
    const failure = failureOf(condition, subject.claims, at)
    if (failure !== undefined) return failure
  }
  return undefined
}

function* checksOf(
  { issuer: accepted, claims = [] }: Terms,
  { issuer, claims: had }: Subject,
  at: number,
): Generator<Check> {
  if (accepted) {
    const needs = `issuer is ${accepted.join(' or ')}`
    yield { held: accepted.includes(issuer), told: WRONG_ISSUER, needs, had: issuer }
  }
  for (const condition of claims) {
    for (const result of testClaim(condition, had, at)) yield { ...result, had: claimAt(had, condition.path) }
  }
}
