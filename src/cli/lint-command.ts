import { type CatalogueSettings, inspectTemplates } from '../policy/check/catalogue.ts'
import { printable, type Severity } from '../policy/template/finding.ts'
import { count, createPaint, type Io, writeJson } from './io.ts'
import { createProgress } from './progress.ts'
import { showFinding } from './show.ts'

/** `policies lint [dir]`: every finding of a directory. 1 if one is an error. */
export async function lintCommand(
  io: Io,
  directory: string,
  settings: CatalogueSettings,
  json: boolean,
): Promise<0 | 1> {
  const progress = createProgress(io)
  const { files, findings } = await inspectTemplates(directory, settings, progress.step)
  progress.end()
  const number = (wanted: Severity) => findings.filter(({ severity }) => severity === wanted).length
  const [errors, warnings, accepted] = [number('error'), number('warning'), number('accepted')]
  if (json) writeJson(io, { directory, templates: files.length, errors, warnings, accepted, findings })
  else {
    const paint = createPaint(io.terminal.out)
    for (const finding of findings) io.out(`${showFinding(finding, paint)}\n`)
    const sums = `${count(files.length, 'template')} in ${printable(directory)}, ${count(errors, 'error')}, ${count(warnings, 'warning')}${accepted > 0 ? `, ${accepted} accepted` : ''}`
    io.out(`${errors > 0 ? paint.red('✗') : paint.green('✓')} ${sums}\n`)
  }
  return errors > 0 ? 1 : 0
}
