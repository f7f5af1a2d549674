import { writeFile } from 'node:fs/promises'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { barChart } from './lib/bar-chart.ts'
import { type Benchmark, type Finding, withoutWeakFloors } from './lib/finding.ts'
import { markdown, table } from './lib/table.ts'

/** Where the command writes. */
export type Output = Readonly<{ write: (text: string) => void; warn: (text: string) => void }>

type Given = Readonly<{ only?: readonly Benchmark[]; small: boolean; json: boolean; markdown: boolean; chart?: string }>

const CHART = 'docs/bench.svg'

function parseOptions(argv: readonly string[], benchmarks: readonly Benchmark[], { write, warn }: Output): Given {
  const only = (text: string) =>
    text.split(',').map((name) => {
      const found = benchmarks.find((benchmark) => benchmark.name === name)
      if (found) return found
      throw new InvalidArgumentError(`knows no ${name}.`)
    })
  return new Command('npm run --silent bench --')
    .description('Measure the service against named rivals, each in the same run.')
    .option('--only <names>', 'only these, with commas between', only)
    .option('--small', 'see that everything runs; ratios of so short a run are not held against their floors', false)
    .option('--json', 'print JSON', false)
    .option('--markdown', 'print the table of docs/benchmarks.md', false)
    .option('--chart <file>', `file to draw the ratios to, as SVG (default: ${CHART}, of a full run alone)`)
    .addHelpText(
      'after',
      `
Benchmarks:
${benchmarks.map(({ name, summary }) => `  ${name.padEnd(11)}  ${summary}`).join('\n')}

It needs npm ci --prefix test/interop (the official SDK), redis-server, Linux, and some twenty minutes of an idle machine.

Exit code: 0 every floor is met, 1 one is not or a benchmark failed, 2 the options cannot be understood.`,
    )
    .configureOutput({ writeOut: write, writeErr: warn })
    .exitOverride()
    .parse(argv, { from: 'user' })
    .opts<Given>()
}

/**
 * `prepare` is done once, before the first.
 *
 * @returns the exit code: 0 every floor is met, 1 one is not or a benchmark failed, 2 wrong options
 */
export async function bench(
  argv: readonly string[],
  benchmarks: readonly Benchmark[],
  { prepare, ...output }: Output & Readonly<{ prepare: () => Promise<void> }>,
): Promise<number> {
  try {
    const given = parseOptions(argv, benchmarks, output)
    await prepare()
    const findings: Finding[] = []
    let failed = 0
    for (const { name, summary, run } of given.only ?? benchmarks) {
      output.warn(`${name}: ${summary}\n`)
      try {
        const found = await run(given.small ? 'small' : 'full')
        findings.push(...(given.small ? found.map(withoutWeakFloors) : found))
      } catch (error) {
        // The others are worth their time all the same.
        failed += 1
        output.warn(`${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
      }
    }
    const show = given.json
      ? (found: readonly Finding[]) => JSON.stringify(found, undefined, 2)
      : given.markdown
        ? markdown
        : table
    output.write(`${show(findings)}\n`)
    const chart = given.chart ?? (given.small || given.only ? undefined : CHART)
    if (chart !== undefined) {
      const subtitle = 'each against a rival in the same run; logarithmic'
      await writeFile(chart, barChart('oss-vend against its rivals', subtitle, findings))
    }
    return failed > 0 || findings.some(({ floor }) => floor?.met === false) ? 1 : 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
}
