import { printable } from '../../policy/template/finding.ts'
import { CommandError, count, createPaint, type Io, type Paint, writeJson } from '../io.ts'
import { checkChains, type Verdict } from './chains.ts'
import { auditKeys } from './keys.ts'
import { inOrder, linesOf } from './lines.ts'

/** The options of `audit verify`. */
export type VerifyOptions = Readonly<{ head?: readonly string[]; json?: boolean }>

/** The most faults that people are shown. */
const MAX_FAULTS = 20

/**
 * `audit verify <file…>`: whether lines were changed, removed or moved. 1 if something is wrong.
 * @throws {CommandError} without a key, or for a file that cannot be read
 */
export async function verifyCommand(io: Io, files: readonly string[], options: VerifyOptions): Promise<0 | 1> {
  const { chain } = auditKeys(io.env)
  if (chain.length === 0) throw new CommandError('AUDIT_CHAIN_KEY or AUDIT_CHAIN_KEY_FILE must have the key', 2)
  const verdict = await checkChains(linesOf(io, await inOrder(io, files)), chain, options.head)
  if (options.json) writeJson(io, verdict)
  else io.out(show(verdict, createPaint(io.terminal.out)))
  return verdict.faults.length === 0 ? 0 : 1
}

function show({ lines, runs, faults, notes }: Verdict, paint: Paint): string {
  const more = faults.length - MAX_FAULTS
  return [
    `${count(lines, 'line')} of ${count(runs.length, 'run')}`,
    '',
    ...runs.map(
      ({ source, first, last, from, to, end, head }) =>
        `${source}  ${first} to ${last}  ${from} to ${to}  ${end}\n  ${paint.dim(`head ${head}`)}`,
    ),
    ...notes.map((note) => `${paint.yellow('•')} ${printable(note)}`),
    ...faults.slice(0, MAX_FAULTS).map(({ kind, at, what }) => `${paint.red('✗')} ${printable(at)} ${kind}: ${what}`),
    ...(more > 0 ? [`${paint.red('✗')} and ${count(more, 'more fault')}`] : []),
    ...(lines > 0 && runs.length === 0 ? ['No line fits AUDIT_CHAIN_KEY: is it the key of these files?'] : []),
    ...(faults.length === 0 && runs.length > 0 ? [`${paint.green('✓')} no line was changed, removed or moved`] : []),
    '',
  ].join('\n')
}
