import {
  type Catalogue,
  type CatalogueSettings,
  inspectTemplates,
  type TemplateFile,
} from '../policy/check/catalogue.ts'
import { type Change, diffCatalogues } from '../policy/check/diff.ts'
import { patternBacktracks } from '../policy/check/lint/pattern-backtracks.ts'
import { formatFinding, printable } from '../policy/template/finding.ts'
import { CommandError, count, createPaint, type Io, type Paint, writeJson } from './io.ts'
import { showCaller } from './show.ts'

/**
 * `policies diff <before> <after>`: what callers gain and lose, and which dangers are newly accepted. 1 if they gain
 * something or may gain something.
 */
export async function diffCommand(
  io: Io,
  [before, after]: readonly [string, string],
  settings: CatalogueSettings,
  json: boolean,
): Promise<0 | 1> {
  const [old, young] = [await readable(before, settings), await readable(after, settings)]
  const { gains, losses, unclear } = diffCatalogues(catalogueOf(old), catalogueOf(young), settings)
  const accepted = newlyAccepted(old, young)
  const widened = gains.length > 0 || unclear.length > 0 || accepted.length > 0
  if (json) writeJson(io, { before, after, gains, losses, unclear, accepted })
  else {
    const paint = createPaint(io.terminal.out)
    for (const change of gains) io.out(showChange(change, paint.red('+'), 'can now', paint))
    for (const { template, rule, message, reason } of accepted) {
      const danger = printable(`${rule}: ${message} (${reason})`)
      io.out(`${paint.red('+')} ${paint.bold(template)}: now accepts\n    ${danger}\n`)
    }
    for (const change of losses) io.out(showChange(change, paint.green('-'), 'can no longer', paint))
    for (const { template, what } of unclear) {
      io.out(
        `${paint.yellow('~')} ${paint.bold(template)}: ${what} differs, and no example shows the effect: review it\n`,
      )
    }
    const sums = [
      count(gains.length, 'gain'),
      `${losses.length} ${losses.length === 1 ? 'loss' : 'losses'}`,
      `${unclear.length} unclear`,
      ...(accepted.length > 0 ? [`${accepted.length} newly accepted`] : []),
    ]
    io.out(`${widened ? paint.red('✗') : paint.green('✓')} ${sums.join(', ')}\n`)
  }
  return widened ? 1 : 0
}

/** The old set may have errors that today's linter finds: it only has to parse and be safe to fill in. */
async function readable(directory: string, settings: CatalogueSettings): Promise<readonly TemplateFile[]> {
  const { files, findings } = await inspectTemplates(directory, settings)
  const ofDirectory = files.length === 0 ? findings : []
  const unreadable = files.filter(({ template }) => !template).flatMap(({ findings }) => findings)
  const dangerous = findings.filter(({ rule }) => rule === patternBacktracks.id)
  const faults = [...ofDirectory, ...unreadable, ...dangerous]
  if (faults.length > 0) throw new CommandError(faults.map(formatFinding).join('\n'), 1)
  return files
}

const catalogueOf = (files: readonly TemplateFile[]): Catalogue =>
  new Map(files.flatMap(({ name, template }) => (template ? [[name, template] as const] : [])))

function newlyAccepted(before: readonly TemplateFile[], after: readonly TemplateFile[]): Acceptance[] {
  const id = ({ template, rule, message }: Acceptance) => JSON.stringify([template, rule, message])
  const known = new Set(acceptedIn(before).map(id))
  return acceptedIn(after).filter((one) => !known.has(id(one)))
}

type Acceptance = Readonly<{ template: string; rule: string; message: string; reason: string | undefined }>

const acceptedIn = (files: readonly TemplateFile[]): Acceptance[] =>
  files.flatMap(({ name, findings }) =>
    findings
      .filter(({ severity }) => severity === 'accepted')
      .map(({ rule, message, reason }) => ({ template: name, rule, message, reason })),
  )

function showChange(
  { template, caller, params, allowances, durationSeconds }: Change,
  sign: string,
  words: string,
  paint: Paint,
): string {
  return [
    `${sign} ${paint.bold(template)}: ${showCaller(caller, params)} ${words}`,
    ...allowances.map(({ action, resource }) => `    ${printable(`${action} ${resource}`)}`),
    ...(durationSeconds
      ? [`    have sessions of ${durationSeconds.to} seconds instead of ${durationSeconds.from}`]
      : []),
    '',
  ].join('\n')
}
