import { type Allowance, coversAllowance } from '../containment.ts'
import type { CompiledStatement } from '../template.ts'
import type { Part } from '../variables.ts'
import type { LintSettings, Rule } from './rule.ts'

/** A statement that changes nothing because another one allows all of it. */
export const swallowedStatement: Rule = {
  id: 'swallowed-statement',
  severity: 'warning',
  remedy: 'remove it, or narrow the other one if that allows more than was meant',
  *check({ template: { statements }, settings }) {
    const allowances = statements.map((statement) => allowancesOf(statement, settings))
    const swallows = (wide: number, narrow: number) =>
      allowances[narrow]?.every((one) => allowances[wide]?.some((other) => coversAllowance(other, one))) ?? false
    for (const narrow of statements.keys()) {
      // A Deny, or a statement whose elements another rule refuses: what allows nothing is not swallowed.
      if (allowances[narrow]?.length === 0) continue
      const wide = allowances.findIndex(
        // Of two that are the same, the later one is told.
        (_, at) => at !== narrow && swallows(at, narrow) && (at < narrow || !swallows(narrow, at)),
      )
      if (wide >= 0) {
        yield { path: ['policy', 'Statement', narrow], message: `Statement.${wide} already allows all that it allows` }
      }
    }
  },
}

function allowancesOf({ effect, actions, resources }: CompiledStatement, settings: LintSettings): Allowance[] {
  if (effect === 'Deny') return []
  return actions.flatMap((action) =>
    resources.map((parts) => ({ action, resource: parts.map((part) => placeholder(part, settings)).join('') })),
  )
}

/** A variable stands for itself, as a word that nobody writes and that nothing but a `*` or the same variable matches. */
function placeholder(part: Part, settings: LintSettings): string {
  switch (part.kind) {
    case 'literal':
      return part.text
    case 'jwt':
      return `\uE000${part.path.join('\uE001').replace(/[*:]/gu, '\uE002')}\uE000`
    case 'param':
      return `\uE003${part.name}\uE003`
    case 'issuer':
      return '\uE004'
    default:
      return settings[part.kind]
  }
}
