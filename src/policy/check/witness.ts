import { type ClaimCondition, failureOf } from '../claims/condition.ts'
import type { Template } from '../template/template.ts'

/** A made-up caller. */
export type Witness = Readonly<{ issuer: string; claims: Readonly<Record<string, unknown>> & { sub: string } }>

type Terms = Readonly<{ issuer?: readonly string[] | undefined; claims?: readonly ClaimCondition[] | undefined }>

/**
 * Callers who meet the conditions of a template, each by another value or alternative, and callers who just miss them: a
 * change of `allow` shows in their grants. They are like `base` in everything else. No value is made up for a pattern.
 */
export function witnesses({ allow }: Template, base: Witness, issuers: readonly string[], at: number): Witness[] {
  if (!allow) return [base]
  const alternatives: readonly Terms[] = allow.any ?? [{}]
  return alternatives.flatMap((terms) => {
    const conditions = [...(allow.claims ?? []), ...(terms.claims ?? [])]
    const values = conditions.map((condition) => acceptedValues(condition, base, at))
    const usual = conditions.reduce(
      (claims, { path }, index) => withClaim(claims, path, values[index]?.[0]),
      base.claims,
    )
    const callers = [
      usual,
      ...conditions.flatMap(({ path }, index) =>
        (values[index] ?? []).slice(1).map((value) => withClaim(usual, path, value)),
      ),
      ...conditions.map(({ path }) => withClaim(usual, path, undefined)),
    ]
    return issuers.flatMap((issuer) => callers.map((claims) => ({ issuer, claims })))
  })
}

/** Values that meet a condition: the base's own, those written in it, and its bounds. */
function acceptedValues(condition: ClaimCondition, { claims }: Witness, at: number): unknown[] {
  const { anyOf = [], allOf, equals, includes, prefix, present, atLeast, atMost } = condition.tests
  const seconds = (bound: number | 'now') => (bound === 'now' ? at / 1000 : bound)
  const candidates = [
    ...anyOf,
    ...(allOf ? [allOf] : []),
    ...(equals !== undefined ? [equals] : []),
    ...(includes !== undefined ? [[includes]] : []),
    ...(prefix !== undefined ? [prefix, [prefix]] : []),
    ...(atLeast !== undefined ? [seconds(atLeast)] : []),
    ...(atMost !== undefined ? [seconds(atMost)] : []),
    ...(allOf && includes !== undefined ? [[...allOf, includes]] : []),
    ...(present ? ['x'] : []),
  ]
  const holds = (value: unknown) =>
    failureOf(condition, withClaim({ ...claims }, condition.path, value), at) === undefined
  const usual = condition.path.reduce<unknown>((value, step) => (isObject(value) ? value[step] : undefined), claims)
  return [usual, ...candidates].filter((value) => value !== undefined && holds(value))
}

/** The claims with one of them set or removed. */
function withClaim<C extends Readonly<Record<string, unknown>>>(
  claims: C,
  [step, ...rest]: readonly string[],
  value: unknown,
): C {
  if (step === undefined || (step === 'sub' && value === undefined)) return claims
  const { [step]: old, ...others } = claims
  const inner = rest.length > 0 ? withClaim(isObject(old) ? old : {}, rest, value) : value
  return { ...claims, ...others, [step]: inner }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
