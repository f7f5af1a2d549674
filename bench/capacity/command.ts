import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommanderError } from 'commander'
import { charts } from './charts.ts'
import { mostUsers } from './most-users.ts'
import { parseOptions } from './options.ts'
import { bindingLimit, comparison, mostTable, reportOf } from './report.ts'
import { type Run, simulate } from './simulate.ts'

/** Where the command writes. */
export type Output = Readonly<{ write: (text: string) => void; warn: (text: string) => void }>

/** A run as JSON shows it: without the values of single seconds. */
function plain(run: Run) {
  const { seconds: _, ...day } = run.day
  const { binding, ...limits } = run.limits
  return {
    scenario: run.scenario,
    day,
    limits: { ...limits, binding: binding?.name ?? null },
    words: bindingLimit(run),
  }
}

/** @returns the exit code: 0 everything fits, 1 something exceeds a limit, 2 wrong options */
export function capacity(argv: readonly string[], { write, warn }: Output): number {
  try {
    const { scenarios, findUsers, exact, json, charts: folder } = parseOptions(argv, write, warn)
    if (folder !== undefined) {
      for (const { file, svg } of charts()) writeFileSync(join(folder, file), svg)
      return 0
    }
    if (findUsers) {
      const found = scenarios.map(mostUsers)
      const asJson = () => found.map(({ fits, over }) => ({ fits: plain(fits), over: over ? plain(over) : null }))
      write(`${json ? JSON.stringify(asJson(), undefined, 2) : mostTable(found)}\n`)
      return 0
    }
    const runs = scenarios.map((scenario) => simulate(scenario, exact))
    const [only] = runs
    const text = () => (only && runs.length === 1 ? reportOf(only) : comparison(runs))
    write(`${json ? JSON.stringify(runs.map(plain), undefined, 2) : text()}\n`)
    return runs.some(({ limits }) => limits.binding !== undefined) ? 1 : 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof RangeError)) throw error
    warn(`${error.message}\n`)
    return 1
  }
}
