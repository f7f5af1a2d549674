import { addressFaults } from '../identity/address-faults.ts'
import { leavesInPlaintext } from '../lib/redis.ts'
import type { ReportFault } from './faults.ts'
import type { ReadSettings } from './settings.ts'

/** Orchestrators kill a process after ten seconds. The process itself needs some of this time. */
const MAX_SHUTDOWN_MS = 9000

/** Reports faults that the schema of a single setting cannot see. The sandbox may have weaker settings. */
export function checkSettings(values: ReadSettings, report: ReportFault, sandbox: boolean): void {
  for (const name of ['JDCLOUD_STS_ENDPOINT', 'OSS_ENDPOINT'] as const) {
    const faults = values[name] === undefined ? [] : addressFaults(values[name])
    for (const { rule, remedy, weak } of faults) if (!(weak && sandbox)) report(name, rule, remedy)
  }
  // STS's API defines the path. Without this check, an operator's own path, such as a gateway's, would be ignored
  // silently.
  const sts = values.JDCLOUD_STS_ENDPOINT
  if (URL.canParse(sts) && new URL(sts).pathname !== '/') {
    report('JDCLOUD_STS_ENDPOINT', 'must not have a path', 'write scheme, host and port')
  }
  if (values.CORS_ORIGINS?.includes('*') && !sandbox) {
    report('CORS_ORIGINS', 'must not contain *', "name your app's own origins")
  }
  if (values.REDIS_URL && leavesInPlaintext(values.REDIS_URL) && !values.REDIS_ALLOW_PLAINTEXT && !sandbox) {
    const remedy = 'write rediss:// or, where the network itself keeps others out, set REDIS_ALLOW_PLAINTEXT=true'
    report('REDIS_URL', 'must not leave the machine in plain text', remedy)
  }
  if (values.VEND_DEADLINE_MS + values.SHUTDOWN_DELAY_MS > MAX_SHUTDOWN_MS) {
    const rule = `VEND_DEADLINE_MS and SHUTDOWN_DELAY_MS together must be at most ${MAX_SHUTDOWN_MS}`
    report('SHUTDOWN_DELAY_MS', rule, 'a request that arrives last must be answered before the process is killed')
  }
}
