import { nearest } from '../../../lib/nearest.ts'
import { ACCEPTABLE_RULES, isAcceptable } from '../../template/accept.ts'
import type { Severity } from '../../template/finding.ts'
import type { Template } from '../../template/template.ts'
import type { RuleFinding } from './rule.ts'

/** A rule's finding, with the template's reason when it is accepted. */
export type LintFinding = RuleFinding & Readonly<{ rule: string; severity: Severity; reason?: string }>

/** An `accept` that can never count: no such rule, or one whose findings nobody may accept. */
export const UNKNOWN_ACCEPTANCE = {
  rule: 'unknown-acceptance',
  severity: 'error',
  remedy: `remove it; these can be accepted: ${ACCEPTABLE_RULES.join(', ')}`,
} as const

/** An unneeded `accept` opens nothing today, and would let the next change through. */
export const STALE_ACCEPTANCE = {
  rule: 'stale-acceptance',
  severity: 'warning',
  remedy: 'remove it, so that a later change needs a new decision',
} as const

/** The finding as accepted, if the template says why; otherwise with how to accept it. */
export function settle({ accept }: Template, { remedy, ...finding }: LintFinding): LintFinding {
  const { rule } = finding
  if (!isAcceptable(rule)) return { ...finding, ...(remedy !== undefined && { remedy }) }
  const reason = Object.hasOwn(accept, rule) ? accept[rule] : undefined
  if (reason !== undefined) return { ...finding, severity: 'accepted', reason }
  return { ...finding, remedy: `${remedy ?? 'narrow it'}; if it is intended, say why: accept: { ${rule}: "<reason>" }` }
}

export function unknownAcceptances({ accept }: Template, known: readonly string[]): LintFinding[] {
  return Object.keys(accept)
    .filter((id) => !isAcceptable(id))
    .map((id): LintFinding => {
      const path = ['accept', id]
      if (known.includes(id)) return { ...UNKNOWN_ACCEPTANCE, path, message: `findings of ${id} cannot be accepted` }
      const meant = nearest(id, [...ACCEPTABLE_RULES])
      const remedy = meant === undefined ? UNKNOWN_ACCEPTANCE.remedy : `did you mean ${meant}?`
      return { ...UNKNOWN_ACCEPTANCE, path, message: 'is not a rule', remedy }
    })
}

/** The acceptances that no finding needs; `found` includes those of the whole set. */
export function staleAcceptances({ accept }: Template, found: readonly { rule: string }[]): LintFinding[] {
  return Object.keys(accept)
    .filter((id) => isAcceptable(id) && !found.some(({ rule }) => rule === id))
    .map((id) => ({
      ...STALE_ACCEPTANCE,
      path: ['accept', id],
      message: 'this rule finds nothing here',
    }))
}
