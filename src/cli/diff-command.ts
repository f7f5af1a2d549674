import { type Catalogue, inspectTemplates } from '../policy/catalogue.ts'
import { type Change, diffCatalogues } from '../policy/diff.ts'
import { formatFinding, printable } from '../policy/finding.ts'
import { patternBacktracks } from '../policy/lint/pattern-backtracks.ts'
import type { LintSettings } from '../policy/lint/rule.ts'
import { CommandError, count, createPaint, type Io, type Paint, writeJson } from './io.ts'
import { showCaller } from './show.ts'

/** `policies diff <dirA> <dirB>`: what callers gain and lose. 1 when they gain something, or may. */
export async function diffCommand(
  io: Io,
  [before, after]: readonly [string, string],
  settings: LintSettings,
  json: boolean,
): Promise<0 | 1> {
  const { gains, losses, unclear } = diffCatalogues(
    await readable(before, settings),
    await readable(after, settings),
    settings,
  )
  const widened = gains.length > 0 || unclear.length > 0
  if (json) writeJson(io, { before, after, gains, losses, unclear })
  else {
    const paint = createPaint(io.terminal.out)
    for (const change of gains) io.out(showChange(change, paint.red('+'), 'can now', paint))
    for (const change of losses) io.out(showChange(change, paint.green('-'), 'cannot any more', paint))
    for (const { template, what } of unclear) {
      io.out(
        `${paint.yellow('~')} ${paint.bold(template)}: ${what} differs, and no example shows what that opens: read it\n`,
      )
    }
    const sums = [
      count(gains.length, 'gain'),
      `${losses.length} ${losses.length === 1 ? 'loss' : 'losses'}`,
      `${unclear.length} unclear`,
    ]
    io.out(`${widened ? paint.red('✗') : paint.green('✓')} ${sums.join(', ')}\n`)
  }
  return widened ? 1 : 0
}

/** The old set may well have what the linter refuses today: all that is needed is that it can be read and filled in. */
async function readable(directory: string, settings: LintSettings): Promise<Catalogue> {
  const { files, findings } = await inspectTemplates(directory, settings)
  const ofDirectory = files.length === 0 ? findings : []
  const unreadable = files.filter(({ template }) => !template).flatMap(({ findings }) => findings)
  const dangerous = findings.filter(({ rule }) => rule === patternBacktracks.id)
  const faults = [...ofDirectory, ...unreadable, ...dangerous]
  if (faults.length > 0) throw new CommandError(faults.map(formatFinding).join('\n'), 1)
  return new Map(files.flatMap(({ name, template }) => (template ? [[name, template] as const] : [])))
}

function showChange(
  { template, caller, params, allowances, durationSeconds }: Change,
  sign: string,
  words: string,
  paint: Paint,
): string {
  return [
    `${sign} ${paint.bold(template)}: ${showCaller(caller, params)} ${words}`,
    ...allowances.map(({ action, resource }) => `    ${printable(`${action} ${resource}`)}`),
    ...(durationSeconds ? [`    have sessions of ${durationSeconds.to} seconds, and not ${durationSeconds.from}`] : []),
    '',
  ].join('\n')
}
