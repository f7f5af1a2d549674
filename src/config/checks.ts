import { addressFaults } from '../identity/address-faults.ts'
import { leavesInPlaintext } from '../lib/redis.ts'
import { FLUSH_MS } from '../lib/tracing.ts'
import type { Environment } from './environment.ts'
import type { ReportFault } from './faults.ts'
import type { ReadSettings } from './settings.ts'

/** Orchestrators kill a process after ten seconds. The process itself needs some of this time. */
const MAX_SHUTDOWN_MS = 9000

/** Reports faults of a single target that the schema of a setting cannot see. */
export function checkTarget(values: ReadSettings, report: ReportFault, sandbox: boolean): void {
  const plaintext = sandbox || values.AWS_STS_ALLOW_PLAINTEXT
  for (const name of ['JDCLOUD_STS_ENDPOINT', 'AWS_STS_ENDPOINT', 'OSS_ENDPOINT'] as const) {
    const faults = values[name] === undefined ? [] : addressFaults(values[name])
    for (const { rule, remedy, weak } of faults) if (!(weak && plaintext)) report(name, rule, remedy)
  }
  // STS's API defines the path. Without this check, an operator's own path, such as a gateway's, would be ignored
  // silently.
  for (const name of ['JDCLOUD_STS_ENDPOINT', 'AWS_STS_ENDPOINT'] as const) {
    const sts = values[name]
    if (sts !== undefined && URL.canParse(sts) && new URL(sts).pathname !== '/') {
      report(name, 'must not have a path', 'write scheme, host and port')
    }
  }
  if (values.CREDENTIAL_SOURCE !== 'jdcloud' && values.OSS_ENDPOINT === undefined) {
    const rule = `is required with CREDENTIAL_SOURCE=${values.CREDENTIAL_SOURCE}`
    report('OSS_ENDPOINT', rule, 'set the address of S3 as clients reach it: the default is an address of JD Cloud')
  }
}

/** Reports faults that the schema of a single setting cannot see. The sandbox may have weaker settings. */
export function checkSettings(values: ReadSettings, report: ReportFault, sandbox: boolean): void {
  if (values.CORS_ORIGINS?.includes('*') && !sandbox) {
    report('CORS_ORIGINS', 'must not contain *', "name your app's own origins")
  }
  if (values.REDIS_URL && leavesInPlaintext(values.REDIS_URL) && !values.REDIS_ALLOW_PLAINTEXT && !sandbox) {
    const remedy = 'write rediss:// or, where the network itself keeps others out, set REDIS_ALLOW_PLAINTEXT=true'
    report('REDIS_URL', 'must not leave the machine in plain text', remedy)
  }
  checkCollector(values, report)
  const mostMs = MAX_SHUTDOWN_MS - (values.OTEL_EXPORTER_OTLP_ENDPOINT === undefined ? 0 : FLUSH_MS)
  if (values.VEND_DEADLINE_MS + values.SHUTDOWN_DELAY_MS > mostMs) {
    const rule = `VEND_DEADLINE_MS and SHUTDOWN_DELAY_MS together must be at most ${mostMs}`
    report('SHUTDOWN_DELAY_MS', rule, 'a request that arrives last must be answered before the process is killed')
  }
}

/** In a cluster, collectors speak plain http, and a trace has no secret. The headers for one may. */
function checkCollector(values: ReadSettings, report: ReportFault): void {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers } = values
  for (const { rule, remedy, weak } of endpoint === undefined ? [] : addressFaults(endpoint)) {
    if (!weak) report('OTEL_EXPORTER_OTLP_ENDPOINT', rule, remedy)
    else if (headers) {
      const why = 'must be https while OTEL_EXPORTER_OTLP_HEADERS is set'
      report('OTEL_EXPORTER_OTLP_ENDPOINT', why, 'use https, or a collector on loopback')
    }
  }
}

/** Reports a key of subjects that is missing or has no effect. */
export function checkAudit({ AUDIT_SUBJECT: mode }: ReadSettings, env: Environment, report: ReportFault): void {
  const given = Boolean(env.AUDIT_SUBJECT_KEY || env.AUDIT_SUBJECT_KEY_FILE)
  if (mode === 'hmac' && !given) {
    report('AUDIT_SUBJECT_KEY', 'is required with AUDIT_SUBJECT=hmac', 'generate one: openssl rand -base64 32')
  }
  // An operator who sets the key believes that subjects are hidden.
  if (mode !== 'hmac' && given) {
    report('AUDIT_SUBJECT_KEY', 'must not be set without AUDIT_SUBJECT=hmac', 'set that, or unset the key')
  }
}
