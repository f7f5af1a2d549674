import type { Template } from './template.ts'

/** Who asks, as far as a policy cares. */
export type Subject = Readonly<{ issuer: string; claims: Readonly<Record<string, unknown>> }>

/**
 * The first condition of a template's `allow` that does not hold, as words for the caller: the claim's name, never the
 * values that would do. Undefined when all hold. A template without `allow` is for nobody, and a claim that a resource
 * needs is a condition as well.
 */
export function unmetCondition({ allow, statements }: Template, { issuer, claims }: Subject): string | undefined {
  if (!allow) return 'this policy is for nobody: it has no allow'
  if (allow.issuer && !allow.issuer.includes(issuer)) return "the token's issuer is not accepted"
  for (const [claim, accepted] of Object.entries(allow.claims ?? {})) {
    if (!tokensOf(claimAt(claims, claim.split('.'))).some((token) => accepted.includes(token))) {
      return `claim "${claim}" is missing or does not hold a required value`
    }
  }
  for (const part of statements.flatMap(({ resources }) => resources.flat())) {
    if (part.kind === 'jwt' && claimAt(claims, part.path) === undefined) return `claim "${part.claim}" is missing`
  }
  return undefined
}

/** The values that a claim holds: a string stands for itself and, as OAuth's `scope` does, for its space-separated parts. */
function tokensOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value, ...value.split(' ')]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** Follows own properties only, so that `constructor` or `__proto__` never reaches anything. */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  let value: unknown = claims
  for (const step of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step)) {
      return undefined
    }
    value = Reflect.get(value, step)
  }
  return value
}
