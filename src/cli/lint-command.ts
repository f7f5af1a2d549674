import { inspectTemplates } from '../policy/catalogue.ts'
import { printable } from '../policy/finding.ts'
import type { LintSettings } from '../policy/lint/rule.ts'
import { count, createPaint, type Io, writeJson } from './io.ts'
import { createProgress } from './progress.ts'
import { showFinding } from './show.ts'

/** `policies lint [dir]`: everything that is wrong with a directory of templates. 1 when there is an error. */
export async function lintCommand(io: Io, directory: string, settings: LintSettings, json: boolean): Promise<0 | 1> {
  const progress = createProgress(io)
  const { files, findings } = await inspectTemplates(directory, settings, progress.step)
  progress.end()
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const warnings = findings.length - errors
  if (json) writeJson(io, { directory, templates: files.length, errors, warnings, findings })
  else {
    const paint = createPaint(io.terminal.out)
    for (const finding of findings) io.out(`${showFinding(finding, paint)}\n`)
    const sums = `${count(files.length, 'template')} in ${printable(directory)}, ${count(errors, 'error')}, ${count(warnings, 'warning')}`
    io.out(`${errors > 0 ? paint.red('✗') : paint.green('✓')} ${sums}\n`)
  }
  return errors > 0 ? 1 : 0
}
