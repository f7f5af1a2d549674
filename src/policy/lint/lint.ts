import type { Severity } from '../finding.ts'
import type { LintSubject, RuleFinding } from './rule.ts'
import { RULES } from './rules.ts'

/** What a rule found, under its id. */
export type LintFinding = RuleFinding & Readonly<{ rule: string; severity: Severity; remedy: string }>

/** Runs every rule over one template. Those that fill it in run only when nothing else finds an error. */
export function lintTemplate(subject: LintSubject): LintFinding[] {
  const found: LintFinding[] = []
  for (const { id, severity, remedy, check, needsSound } of RULES) {
    if (needsSound && found.some(({ severity }) => severity === 'error')) continue
    for (const finding of check(subject)) found.push({ rule: id, severity, remedy, ...finding })
  }
  return found
}
