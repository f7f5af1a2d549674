import { type LintFinding, settle, unknownAcceptances } from './acceptance.ts'
import { type LintSettings, type LintSubject, lintSubject } from './rule.ts'
import { RULES } from './rules.ts'

/** Runs every rule over a template for each of its targets. A finding that only some of them have names these. */
export function lintForTargets(template: LintSubject['template'], targets: readonly LintSettings[]): LintFinding[] {
  const found = new Map<string, Readonly<{ finding: LintFinding; names: string[] }>>()
  for (const settings of targets) {
    for (const finding of lintTemplate(lintSubject(template, settings))) {
      const id = JSON.stringify(finding)
      const known = found.get(id) ?? { finding, names: [] }
      if (!known.names.includes(settings.target)) known.names.push(settings.target)
      found.set(id, known)
    }
  }
  return [...found.values()].map(({ finding, names }) =>
    names.length === targets.length
      ? finding
      : { ...finding, message: `${finding.message} (target ${names.join(', ')})` },
  )
}

/** Runs every rule over one template, for one target. Rules that fill it in run only when no other rule finds an error. */
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
