import type { Test } from 'tap'
import { VendError } from '../../src/errors.ts'
import { createAwsSts } from '../../src/sts/aws.ts'
import { GRANT, KEYS, NOW } from './harness.ts'

export const CREDENTIALS = {
  AccessKeyId: 'SENTINEL-access',
  SecretAccessKey: 'SENTINEL/secret+of=base64',
  SessionToken: 'SENTINEL-token==',
  Expiration: '2026-01-01T01:00:00Z',
}

const element = (name: string, content: string | undefined) =>
  content === undefined ? '' : `<${name}>${content}</${name}>`

/** An answer as STS writes it; a part that is undefined is left out. */
export function success(
  changes: Partial<Record<keyof typeof CREDENTIALS, string | undefined>> = {},
  more = '',
): string {
  const parts = Object.entries({ ...CREDENTIALS, ...changes }).map(([name, value]) => element(name, value))
  const result = `<AssumeRoleResult><Credentials>${parts.join('')}</Credentials>${more}<PackedPolicySize>6</PackedPolicySize></AssumeRoleResult>`
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${result}<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>`
}

/** STS has ten seconds by default, so that a busy machine's answer is not late. */
export const options = (endpoint: string, timeoutMs = 10_000) => ({
  endpoint,
  role: 'arn:aws:iam::111111111111:role/test-role',
  region: 'us-east-1',
  connectTimeoutMs: 5000,
  timeoutMs,
  connections: 2,
  ...KEYS,
})

/** What one answer of STS becomes: the code of the error, with what is logged, or the credentials. */
export async function ask(t: Test, endpoint: string, more = {}, timeoutMs?: number) {
  const sts = createAwsSts(options(endpoint, timeoutMs), { now: () => NOW, translate: (policy) => policy, ...more })
  t.teardown(() => sts.close())
  return sts.assumeRole(GRANT).catch((error: unknown) => {
    if (!(error instanceof VendError)) throw error
    return { code: error.code, log: error.log, retryAfter: error.retryAfterSeconds }
  })
}
