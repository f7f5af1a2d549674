import { VendError } from '../../errors.ts'
import { inspectTemplates } from '../../policy/check/catalogue.ts'
import { exampleCaller } from '../../policy/check/examples.ts'
import type { LintSettings } from '../../policy/check/lint/rule.ts'
import { targetsOf } from '../../policy/check/lint/unknown-target.ts'
import { fillIn, type Grant } from '../../policy/grant/grant.ts'
import { settingsFor, type Targets } from '../../policy/grant/target.ts'
import { anchorOf, placeOf, printable } from '../../policy/template/finding.ts'
import type { Template } from '../../policy/template/template.ts'
import { count } from '../io.ts'
import { failed, type Line, type Outcome, passed } from './check.ts'

export type Example = Template['examples'][number]

/** An example that is granted something, with what. */
export type GrantedExample = Readonly<{ example: Example; grant: Grant }>

/** Whether the service would load the templates: each lints, and its examples hold. */
export async function checkTemplates(
  directory: string,
  settings: Targets<LintSettings>,
): Promise<Outcome<readonly Template[]>> {
  const { files, findings } = await inspectTemplates(directory, settings)
  const errors = findings.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) {
    const lines = errors.map((finding): Line => {
      const remedy = printable(finding.remedy ?? 'correct the file; see oss-vend policies lint')
      return failed(`${printable(`${placeOf(finding)}: ${finding.message}`)} (${anchorOf(finding)})`, remedy)
    })
    return { lines }
  }
  const lines = files.reduce((sum, { outcomes }) => sum + outcomes.length, 0)
  const warnings = findings.filter(({ severity }) => severity === 'warning').length
  const warned = warnings > 0 ? `; ${count(warnings, 'warning')}: see oss-vend policies lint` : ''
  const message = `${count(files.length, 'template')} in ${printable(directory)} without an error, ${count(lines, 'line')} of examples hold${warned}`
  return { lines: [passed(message)], value: files.flatMap(({ template }) => template ?? []) }
}

/** The templates that can lead to a target. */
export const templatesFor = (templates: readonly Template[], target: string, settings: Targets<LintSettings>) =>
  templates.filter((template) => targetsOf(template, settings).targets?.some((one) => one.target === target))

/** The longest session of these templates. */
export function longestSession(templates: readonly Template[], maxSessionSeconds: number) {
  const [longest] = templates.toSorted((one, other) => other.durationSeconds - one.durationSeconds)
  if (!longest) return undefined
  return { template: longest.name, seconds: Math.min(longest.durationSeconds, maxSessionSeconds) }
}

/** What the examples of a template are granted at a target. An example that is refused, or leads elsewhere, is left out. */
export function grantedExamples(
  template: Template,
  target: string,
  { settings, now }: Readonly<{ settings: Targets<LintSettings>; now: number }>,
): readonly GrantedExample[] {
  const issuers = [...settings.values()][0]?.issuers ?? []
  return template.examples.flatMap((example) => {
    const { params, at = now } = example
    const request = { caller: exampleCaller(template, example, issuers), params, at }
    try {
      const own = settingsFor(template, request, settings)
      return own.target === target ? [{ example, grant: fillIn(template, request, own) }] : []
    } catch (error) {
      if (error instanceof VendError) return []
      throw error
    }
  })
}
