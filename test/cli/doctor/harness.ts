import type { Test } from 'tap'
import { type Sandbox, startSandbox } from '../../../sandbox/index.ts'
import { sandboxEnvironment } from '../../../sandbox/local.ts'
import type { CorsRule } from '../../../sandbox/oss/cors-rules.ts'
import type { Scenario } from '../../../sandbox/world.ts'
import { type DoctorOptions, doctorCommand } from '../../../src/cli/doctor/doctor-command.ts'
import type { Environment } from '../../../src/config/environment.ts'
import { capturedIo } from '../../helpers/captured-io.ts'
import { type ReportLine, reportSchema } from '../../helpers/doctor-report.ts'

export const ORIGIN = 'https://app.example.com'

/** A rule such as docs/clients.md shows it. */
export const PAGES: CorsRule = {
  origins: [ORIGIN],
  methods: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'],
  headers: ['*'],
  exposed: ['ETag'],
  maxAgeSeconds: 3600,
  id: undefined,
}

/** A cloud in which nothing is wrong, and the environment of a service that uses it. */
export async function soundCloud(t: Test, scenario: Scenario = {}): Promise<{ sandbox: Sandbox; env: Environment }> {
  const sandbox = await startSandbox({ scenario })
  t.teardown(() => sandbox.close())
  for (const bucket of sandbox.oss.store.values()) bucket.cors.rules = [PAGES]
  // On a busy machine, a server that is there is not late.
  const patience = { STS_CONNECT_TIMEOUT_MS: '5000', STS_TIMEOUT_MS: '8000' }
  return { sandbox, env: { ...sandboxEnvironment(sandbox), CORS_ORIGINS: ORIGIN, ...patience } }
}

type Dependencies = Parameters<typeof doctorCommand>[2]

/** The text that people read. Servers may be on this machine, without TLS. */
export async function doctor(env: Environment, options: DoctorOptions = {}, dependencies: Dependencies = {}) {
  const { io, printed } = capturedIo(env, '')
  const exitCode = await doctorCommand(io, options, { sandbox: true, ...dependencies })
  return { exitCode, ...printed }
}

/** The same with `--json`, parsed. */
export async function diagnose(env: Environment, options: DoctorOptions = {}, dependencies: Dependencies = {}) {
  const { exitCode, out, err } = await doctor(env, { ...options, json: true }, dependencies)
  const report = reportSchema.parse(JSON.parse(out))
  const named = (wanted: ReportLine['status']) =>
    report.checks.filter(({ status }) => status === wanted).map(({ name }) => name)
  return { exitCode, out, err, report, lines: report.checks, named }
}
