import { printable } from '../../policy/template/finding.ts'
import type { Paint } from '../io.ts'
import type { Check, Line, Status } from './check.ts'

/** A line of the report, with its place. */
export type ReportLine = Line & Readonly<{ group: string; name: string }>

/** Every line, in the order of the checks. Starts all of them: each waits for those that it needs. */
export async function runChecks(
  checks: readonly Check[],
  onDone: (done: number) => void = () => {},
): Promise<readonly ReportLine[]> {
  let done = 0
  const lines = await Promise.all(
    checks.map(async ({ group, name, outcome }) => {
      const { lines } = await outcome()
      onDone(++done)
      return lines.map((line) => ({ group, name, ...line }))
    }),
  )
  return lines.flat()
}

const numberOf = (lines: readonly Line[], wanted: Status) => lines.filter(({ status }) => status === wanted).length

/** The report for people: a tick, a cross or a dash for each line, and the remedy under each cross. */
export function showReport(lines: readonly ReportLine[], paint: Paint): string {
  const width = Math.max(...lines.map(({ name }) => name.length))
  const marks: Readonly<Record<Status, string>> = {
    passed: paint.green('✓'),
    failed: paint.red('✗'),
    not_checked: paint.yellow('–'),
  }
  const shown = lines.flatMap(({ group, name, status, message, remedy, settings = [] }, index) => {
    const heading = lines[index - 1]?.group === group ? [] : [...(index > 0 ? [''] : []), paint.bold(group)]
    const where = settings.length > 0 ? ` (${settings.join(', ')})` : ''
    const advice = remedy === undefined ? [] : [`    ${paint.green('→')} ${printable(remedy)}${printable(where)}`]
    return [...heading, `  ${marks[status]} ${printable(name.padEnd(width))}  ${printable(message)}`, ...advice]
  })
  const [passed, failed, unknown] = [
    numberOf(lines, 'passed'),
    numberOf(lines, 'failed'),
    numberOf(lines, 'not_checked'),
  ]
  const sums = `${passed} passed, ${failed} failed, ${unknown} not checked`
  return [...shown, '', `${failed > 0 ? marks.failed : marks.passed} ${sums}`, ''].join('\n')
}

/** The report for machines. */
export const forMachines = (lines: readonly ReportLine[]) => ({
  passed: numberOf(lines, 'passed'),
  failed: numberOf(lines, 'failed'),
  notChecked: numberOf(lines, 'not_checked'),
  checks: lines,
})

/** Whether nothing is known to be wrong. */
export const isSound = (lines: readonly Line[]) => numberOf(lines, 'failed') === 0
