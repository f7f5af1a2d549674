import type { Test } from 'tap'
import { VendError } from '../../src/errors.ts'
import { createJdcloudSts } from '../../src/sts/jdcloud.ts'

export const NOW = Date.UTC(2026, 0, 1)
export const KEYS = { accessKey: 'fixture-ak', secretKey: 'fixture-sk' }
export const GRANT = {
  roleSessionName: 'user-upload@alice',
  policy: '{"Version":"3","Statement":[]}',
  durationSeconds: 3600,
}
export const CREDENTIALS = {
  accessKey: 'SENTINEL-access',
  secretKey: 'SENTINEL-secret',
  sessionToken: 'SENTINEL-token',
  expiration: '2026-01-01 09:00:00',
}
export const REQUEST_ID = 'bgvsvqrgujfiqoshw9mhwm3fw7tj35ev'
export const SUCCESS = { requestId: 'req-1', result: { credentials: CREDENTIALS } }

/** STS has ten seconds by default, so that a busy machine's answer is not late. */
export const options = (endpoint: string, timeoutMs = 10_000) => ({
  endpoint,
  role: 'jrn:iam::111111111111:role/test-role',
  connectTimeoutMs: 5000,
  timeoutMs,
  connections: 2,
  ...KEYS,
})
export const dependencies = { now: () => NOW, nonce: () => 'nonce-1' }

/** What one answer of STS becomes: the code of the error, with what is logged, or the credentials. */
export async function ask(t: Test, endpoint: string, more = {}, timeoutMs?: number) {
  const sts = createJdcloudSts(options(endpoint, timeoutMs), { ...dependencies, ...more })
  t.teardown(() => sts.close())
  return sts.assumeRole(GRANT).catch((error: unknown) => {
    if (!(error instanceof VendError)) throw error
    return { code: error.code, log: error.log, retryAfter: error.retryAfterSeconds }
  })
}
