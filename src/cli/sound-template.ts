import { nearest } from '../lib/nearest.ts'
import { type CatalogueSettings, inspectTemplates } from '../policy/check/catalogue.ts'
import { formatFinding } from '../policy/template/finding.ts'
import type { Template } from '../policy/template/template.ts'
import { CommandError } from './io.ts'

/**
 * Finds a template by name.
 * @throws {CommandError} if there is none, or if the linter finds an error in it
 */
export async function soundTemplate(directory: string, name: string, settings: CatalogueSettings): Promise<Template> {
  const { files, findings } = await inspectTemplates(directory, settings)
  const file = files.find((one) => one.name === name)
  if (!file) {
    const [first] = files.length === 0 ? findings : []
    if (first) throw new CommandError(formatFinding(first), 1)
    const names = files.map((one) => one.name)
    const meant = nearest(name, names)
    const hint = meant === undefined ? `it has ${names.slice(0, 20).join(', ')}` : `did you mean ${meant}?`
    throw new CommandError(`${directory} has no template ${name}: ${hint}`, 2)
  }
  const errors = file.findings.filter(({ severity }) => severity === 'error')
  if (!file.template || errors.length > 0) throw new CommandError(errors.map(formatFinding).join('\n'), 1)
  return file.template
}
