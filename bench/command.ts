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
      throw new InvalidArgumentError(`no benchmark is named ${name}.`)
    })
  return new Command('npm run --silent bench --')
    .description('Compare the service with named rivals, each in the same run.')
    .option('--only <names>', 'run only these, separated by commas', only)
    .option('--small', 'only see that everything works; a short run is not compared with the floors', false)
    .option('--json', 'print JSON', false)
    .option('--markdown', 'print the table of docs/benchmarks.md', false)
    .option('--chart <file>', `SVG file for the ratios (default: ${CHART}, only after a full run)`)
    .addHelpText(
      'after',
      `
Benchmarks:
${benchmarks.map(({ name, summary }) => `  ${name.padEnd(16)}  ${summary}`).join('\n')}

It needs npm ci --prefix test/interop (the official SDK), redis-server, Linux, and about twenty minutes on an idle machine.

Exit code: 0 every floor is met, 1 a floor is not met or a benchmark failed, 2 the options are wrong.`,
    )
    .configureOutput({ writeOut: write, writeErr: warn })
    .exitOverride()
    .parse(argv, { from: 'user' })
    .opts<Given>()
}

/**
 * `prepare` runs once, before the first benchmark.
 *
 * @returns the exit code: 0 every floor is met, 1 a floor is not met or a benchmark failed, 2 wrong options
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
        // A failure does not stop the other benchmarks.
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
      const subtitle = 'each compared with a rival in the same run; logarithmic'
      await writeFile(chart, barChart('oss-vend against its rivals', subtitle, findings))
    }
    return failed > 0 || findings.some(({ floor }) => floor?.met === false) ? 1 : 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
}
