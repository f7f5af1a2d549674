import { nearest } from '../../../lib/nearest.ts'
import { ACCEPTABLE_RULES, isAcceptable } from '../../template/accept.ts'
import type { Severity } from '../../template/finding.ts'
import type { Template } from '../../template/template.ts'
import type { RuleFinding } from './rule.ts'

/** What a rule found, under its id; with the template's reason when it is accepted. */
export type LintFinding = RuleFinding & Readonly<{ rule: string; severity: Severity; reason?: string }>

/** An `accept` that can never count: the rule is not there, or nobody may accept what it finds. */
export const UNKNOWN_ACCEPTANCE = {
  rule: 'unknown-acceptance',
  severity: 'error',
  remedy: `remove it: there are ${ACCEPTABLE_RULES.join(', ')}`,
} as const

/** An `accept` that nothing needs. It opens nothing today, and would let through what the next change does. */
export const STALE_ACCEPTANCE = {
  rule: 'stale-acceptance',
  severity: 'warning',
  remedy: 'remove it, so that the next change has to say it again',
} as const

/** The finding as it counts for a template: accepted where that says why, and else with how to accept it. */
export function settle({ accept }: Template, { remedy, ...finding }: LintFinding): LintFinding {
  const { rule } = finding
  if (!isAcceptable(rule)) return { ...finding, ...(remedy !== undefined && { remedy }) }
  const reason = Object.hasOwn(accept, rule) ? accept[rule] : undefined
  if (reason !== undefined) return { ...finding, severity: 'accepted', reason }
  return { ...finding, remedy: `${remedy ?? 'narrow it'}; if it is meant, say why: accept: { ${rule}: "<reason>" }` }
}

/** What is wrong with the ids under `accept`. */
export function unknownAcceptances({ accept }: Template, known: readonly string[]): LintFinding[] {
  return Object.keys(accept)
    .filter((id) => !isAcceptable(id))
    .map((id): LintFinding => {
      const path = ['accept', id]
      if (known.includes(id)) return { ...UNKNOWN_ACCEPTANCE, path, message: `what ${id} finds cannot be accepted` }
      const meant = nearest(id, [...ACCEPTABLE_RULES])
      const remedy = meant === undefined ? UNKNOWN_ACCEPTANCE.remedy : `did you mean ${meant}?`
      return { ...UNKNOWN_ACCEPTANCE, path, message: 'is not a rule', remedy }
    })
}

/** The acceptances that none of a template's findings needs, those of all templates together included. */
export function staleAcceptances({ accept }: Template, found: readonly { rule: string }[]): LintFinding[] {
  return Object.keys(accept)
    .filter((id) => isAcceptable(id) && !found.some(({ rule }) => rule === id))
    .map((id) => ({
      ...STALE_ACCEPTANCE,
      path: ['accept', id],
      message: 'the rule finds nothing here, so this accepts nothing',
    }))
}
