import { addressFaults } from '../identity/issuer.ts'
import { leavesInPlaintext } from '../lib/redis.ts'
import type { ReportFault } from './faults.ts'
import type { ReadSettings } from './settings.ts'

/** Orchestrators kill after ten seconds; the process itself needs some of them. */
const MAX_SHUTDOWN_MS = 9000

/** Reports what the schema of a single setting cannot see. A sandbox may have what is too weak for anything else. */
export function checkSettings(values: ReadSettings, report: ReportFault, sandbox: boolean): void {
  for (const name of ['JDCLOUD_STS_ENDPOINT', 'OSS_ENDPOINT'] as const) {
    const faults = values[name] === undefined ? [] : addressFaults(values[name])
    for (const { rule, remedy, weak } of faults) if (!(weak && sandbox)) report(name, rule, remedy)
  }
  // The path belongs to the STS API: one of the operator's, such as a gateway's, would be dropped without a word.
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
