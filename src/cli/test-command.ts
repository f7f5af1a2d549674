import { type CatalogueSettings, inspectTemplates, type TemplateFile } from '../policy/check/catalogue.ts'
import type { ExampleOutcome } from '../policy/check/examples.ts'
import { printable } from '../policy/template/finding.ts'
import { count, createPaint, type Io, type Paint, writeJson } from './io.ts'
import { createProgress } from './progress.ts'
import { showFinding, showValues } from './show.ts'

/** `policies test [dir]`: runs every example, with a tick or a cross for each line. 1 if one fails or cannot run. */
export async function testCommand(
  io: Io,
  directory: string,
  settings: CatalogueSettings,
  json: boolean,
): Promise<0 | 1> {
  const progress = createProgress(io)
  const { files, findings } = await inspectTemplates(directory, settings, progress.step)
  progress.end()
  const outcomes = files.flatMap(({ outcomes }) => outcomes)
  const passed = outcomes.filter(({ held }) => held).length
  const failed = outcomes.length - passed
  const refused = files.filter((file) => !file.tested)
  const ofDirectory = findings.filter(({ file }) => file === directory)
  const good = failed === 0 && refused.length === 0 && ofDirectory.length === 0
  if (json) {
    const templates = files.map(({ file, name, tested, outcomes }) => ({ file, name, tested, examples: outcomes }))
    writeJson(io, { directory, passed, failed, notRun: refused.length, templates })
    return good ? 0 : 1
  }
  const paint = createPaint(io.terminal.out)
  for (const finding of ofDirectory) io.out(`${showFinding(finding, paint)}\n`)
  for (const file of files) io.out(`${showFile(file, paint)}\n`)
  const notRun = refused.length > 0 ? `, ${count(refused.length, 'template')} not tested: see policies lint` : ''
  io.out(`\n${good ? paint.green('✓') : paint.red('✗')} ${passed} passed, ${failed} failed${notRun}\n`)
  return good ? 0 : 1
}

function showFile({ file, template, tested, findings, outcomes }: TemplateFile, paint: Paint): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const none = tested ? 'no examples' : `not tested: ${count(errors, 'error')}`
  const examples = (template?.examples ?? []).flatMap(({ caller, params, at }, index) => [
    `  ${paint.dim(showValues({ ...caller, ...params }) + (at === undefined ? '' : ` at ${new Date(at).toISOString()}`))}`,
    ...outcomes.filter(({ path }) => path[1] === index).map((outcome) => showOutcome(outcome, paint)),
  ])
  return [paint.bold(printable(file)), ...(outcomes.length > 0 ? examples : [`  ${paint.yellow('!')} ${none}`])].join(
    '\n',
  )
}

const showOutcome = ({ held, expected, line, message }: ExampleOutcome, paint: Paint) =>
  held
    ? `    ${paint.green('✓')} ${expected.padEnd(6)} ${printable(line)}`
    : `    ${paint.red('✗')} ${expected.padEnd(6)} ${printable(message)}`
