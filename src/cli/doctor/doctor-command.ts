import { randomBytes } from 'node:crypto'
import { type Config, readConfig } from '../../config/config.ts'
import { ConfigError, type ConfigFault, EX_CONFIG } from '../../config/faults.ts'
import { systemClock } from '../../lib/clock.ts'
import { createPaint, type Io, writeJson } from '../io.ts'
import { createProgress } from '../progress.ts'
import { createChecks, failed, notChecked } from './check.ts'
import { type PlanOptions, planChecks } from './plan.ts'
import { forMachines, isSound, type ReportLine, runChecks, showReport } from './report.ts'

/** The options of `doctor`. */
export type DoctorOptions = Readonly<{
  /** Whether objects are written, read and deleted. */
  probe?: boolean
  json?: boolean
}>

/** For tests: servers on this machine without TLS, and another time. */
type Dependencies = Readonly<{ sandbox?: boolean }> & Partial<Pick<PlanOptions, 'clock' | 'now' | 'random' | 'id'>>

/**
 * `doctor`: whether everything that the service needs is there and right, line by line, with the remedy for what is not.
 * 0 if nothing is wrong, 1 if something is, 78 for a configuration that cannot be used. Prints no secret. Without
 * `probe` it writes no object.
 */
export async function doctorCommand(
  io: Io,
  { probe = false, json = false }: DoctorOptions,
  dependencies: Dependencies = {},
): Promise<number> {
  const { sandbox = false, clock = systemClock(dependencies.now), random = Math.random } = dependencies
  const { now = clock.now, id = randomBytes(4).toString('hex') } = dependencies
  const { config, faults } = configOf(io, sandbox)
  const tell = (lines: readonly ReportLine[]) => {
    if (json) writeJson(io, forMachines(lines))
    else io.out(showReport(lines, createPaint(io.terminal.out)))
  }
  if (!config) {
    tell(faultLines(faults))
    return EX_CONFIG
  }
  const { TARGETS_FILE, JWT_ISSUERS_FILE } = io.env
  const fromFile = { issuers: Boolean(JWT_ISSUERS_FILE), targets: Boolean(TARGETS_FILE) }
  const options = { check: createChecks(clock), clock, now, random, id, sandbox, probe, fromFile }
  const { checks, close } = await planChecks(config, options)
  const progress = createProgress(io, { noun: 'checks', least: 1 })
  progress.step(0, checks.length)
  try {
    const lines = await runChecks(checks, (done) => progress.step(done, checks.length))
    progress.end()
    tell(lines)
    return isSound(lines) ? 0 : 1
  } finally {
    await close()
  }
}

type Read = Readonly<{ config: Config; faults?: never } | { config?: never; faults: readonly ConfigFault[] }>

function configOf({ env }: Io, sandbox: boolean): Read {
  try {
    return { config: readConfig(env, { sandbox }) }
  } catch (error) {
    if (error instanceof ConfigError) return { faults: error.faults }
    throw error
  }
}

/** Nothing else can be checked: the rest of the report depends on what the service would do. */
function faultLines(faults: readonly ConfigFault[]): readonly ReportLine[] {
  const wrong = faults.map(({ variable, rule, remedy }) => ({
    group: 'Service',
    name: 'configuration',
    ...failed(`${variable} ${rule}`, remedy, [variable]),
  }))
  const others = ['templates', 'issuers', 'redis', 'targets'].map((name) => ({
    group: 'Service',
    name,
    ...notChecked('"configuration" comes first'),
  }))
  return [...wrong, ...others]
}
