import type { ClaimCondition, ClaimTests } from '../claims/condition.ts'
import { type Allowance, coversAllowance } from '../language/containment.ts'
import type { CompiledStatement, Template } from '../template/template.ts'
import type { Part } from '../template/variables.ts'

type Fixed = Readonly<{ account: string; bucket: string; region: string }>
type Terms = Readonly<{ issuer?: readonly string[] | undefined; claims?: readonly ClaimCondition[] | undefined }>

/** What a statement allows, with a placeholder for each variable. */
export function symbolicAllowances({ effect, actions, resources }: CompiledStatement, fixed: Fixed): Allowance[] {
  if (effect === 'Deny') return []
  const texts = resources.map((parts) => parts.map((part) => placeholder(part, fixed)).join(''))
  return actions.flatMap((action) => texts.map((resource) => ({ action, resource })))
}

/** Whether the later policy allows nothing beyond the earlier one, for all values. */
export function narrowsPolicy(old: Template, young: Template, fixed: Fixed): boolean {
  const all = ({ statements }: Template) => statements.flatMap((statement) => symbolicAllowances(statement, fixed))
  const had = all(old)
  return all(young).every((one) => had.some((other) => coversAllowance(other, one)))
}

/** Whether every caller who meets the later conditions meets the earlier ones, judged by their form. */
export function narrowsAllow({ allow: old }: Template, { allow: young }: Template): boolean {
  if (!young) return true
  if (!old || !narrowsTerms(old, young)) return false
  const alternatives = young.any ?? [{}]
  return !old.any || alternatives.every((terms) => old.any?.some((other) => narrowsTerms(other, merged(young, terms))))
}

const merged = (always: Terms, { issuer, claims = [] }: Terms): Terms => ({
  issuer: issuer ?? always.issuer,
  claims: [...(always.claims ?? []), ...claims],
})

function narrowsTerms(old: Terms, young: Terms): boolean {
  const issuers = !old.issuer || (young.issuer?.every((issuer) => old.issuer?.includes(issuer)) ?? false)
  return issuers && (old.claims ?? []).every((condition) => young.claims?.some((other) => implies(other, condition)))
}

function implies(young: ClaimCondition, old: ClaimCondition): boolean {
  const same = (a: unknown, b: unknown) => textOf(a) === textOf(b)
  if (!same(young.path, old.path)) return false
  const names = Object.keys(old.tests) as (keyof ClaimTests)[]
  return names.every((name) => {
    const [was, is] = [old.tests[name], young.tests[name]]
    if (name === 'anyOf') return young.tests.anyOf?.every((value) => old.tests.anyOf?.includes(value)) ?? false
    if (name === 'atLeast') return typeof was === 'number' && typeof is === 'number' ? is >= was : same(was, is)
    if (name === 'atMost') return typeof was === 'number' && typeof is === 'number' ? is <= was : same(was, is)
    return same(was, is)
  })
}

/** A value as text for comparison; patterns by their source. */
export const textOf = (value: unknown): string | undefined =>
  JSON.stringify(value, (_, part: unknown) => (part instanceof RegExp ? part.source : part))

/** A word that nobody writes: only a `*` or the same variable matches it. */
function placeholder(part: Part, fixed: Fixed): string {
  switch (part.kind) {
    case 'literal':
      return part.text
    case 'jwt':
      return `\uE000${part.path.join('\uE001').replace(/[*:]/gu, '\uE002')}\uE000${part.transform ?? ''}\uE000`
    case 'date':
      return `\uE005${part.unit}\uE005`
    case 'param':
      return `\uE003${part.name}\uE003`
    case 'issuer':
      return '\uE004'
    default:
      return fixed[part.kind]
  }
}
