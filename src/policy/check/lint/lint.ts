import { type LintFinding, settle, unknownAcceptances } from './acceptance.ts'
import type { LintSubject } from './rule.ts'
import { RULES } from './rules.ts'

/** Runs every rule over one template. Rules that fill it in run only when no other rule finds an error. */
export function lintTemplate(subject: LintSubject): LintFinding[] {
  const found: LintFinding[] = []
  for (const { id, severity, remedy, check, needsSound } of RULES) {
    if (needsSound && found.some(({ severity }) => severity === 'error')) continue
    for (const finding of check(subject)) {
      found.push(settle(subject.template, { rule: id, severity, remedy, ...finding }))
    }
  }
  const known = RULES.map(({ id }) => id)
  return [...found, ...unknownAcceptances(subject.template, known)]
}
