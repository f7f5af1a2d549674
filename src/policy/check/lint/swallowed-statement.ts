import { coversAllowance } from '../../language/containment.ts'
import { symbolicAllowances } from '../narrowing.ts'
import type { Rule } from './rule.ts'

/** The statement changes nothing, because another one allows all of it. */
export const swallowedStatement: Rule = {
  id: 'swallowed-statement',
  severity: 'warning',
  remedy: 'remove it, or narrow the other one if that allows too much',
  *check({ template: { statements }, settings }) {
    const allowances = statements.map((statement) => symbolicAllowances(statement, settings))
    const swallows = (wide: number, narrow: number) =>
      allowances[narrow]?.every((one) => allowances[wide]?.some((other) => coversAllowance(other, one))) ?? false
    for (const narrow of statements.keys()) {
      // A statement that allows nothing (Deny, or one that another rule refuses) is not swallowed.
      if (allowances[narrow]?.length === 0) continue
      const wide = allowances.findIndex(
        // Of two equal ones, report the later.
        (_, at) => at !== narrow && swallows(at, narrow) && (at < narrow || !swallows(narrow, at)),
      )
      if (wide >= 0) {
        yield { path: ['policy', 'Statement', narrow], message: `Statement.${wide} already allows all of it` }
      }
    }
  },
}
