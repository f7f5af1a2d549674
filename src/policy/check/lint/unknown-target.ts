import { isTargets, type Targets } from '../../grant/target.ts'
import { targetsIn } from '../../template/target.ts'
import type { Template } from '../../template/template.ts'
import type { LintFinding } from './acceptance.ts'
import type { LintSettings } from './rule.ts'

/** A session for the wrong bucket is worse than none: with several targets, each template says which one it means. */
export const UNKNOWN_TARGET = {
  rule: 'unknown-target',
  severity: 'error',
  remedy: 'use a name from TARGETS_FILE; without that file, leave target out',
} as const

/** The settings of each target that a template can lead to, or why there are none. */
export function targetsOf(
  { target }: Template,
  settings: LintSettings | Targets<LintSettings>,
): Readonly<
  { targets: readonly LintSettings[]; findings?: never } | { targets?: never; findings: readonly LintFinding[] }
> {
  const known: Targets<LintSettings> = isTargets(settings) ? settings : new Map([[settings.target, settings]])
  const configured = [...known.keys()].join(', ')
  if (!target) {
    if (known.size === 1) return { targets: [...known.values()] }
    const message = `there are several targets, so the template must name one of ${configured}`
    return { findings: [{ ...UNKNOWN_TARGET, path: ['target'], message, remedy: 'write target: <name>' }] }
  }
  const names = targetsIn(target)
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length === 0) return { targets: names.flatMap((name) => known.get(name) ?? []) }
  const message = `no target is called ${unknown.join(' or ')}; configured: ${configured}`
  return { findings: [{ ...UNKNOWN_TARGET, path: ['target'], message }] }
}
