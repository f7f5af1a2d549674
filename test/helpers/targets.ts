import type { Test } from 'tap'
import type { Environment } from '../../src/config/environment.ts'

/** No variable of a single target: what `TARGETS_FILE` wants. */
export const NO_SINGLE_TARGET: Environment = {
  JDCLOUD_ACCESS_KEY: '',
  JDCLOUD_SECRET_KEY: '',
  JDCLOUD_ACCOUNT_ID: '',
  JDCLOUD_ROLE_NAME: '',
  JDCLOUD_STS_ENDPOINT: '',
  OSS_REGION: '',
  OSS_BUCKET: '',
  OSS_ENDPOINT: '',
}

/** An entry of the file that is good. */
export const entry = (name: string, changes: Readonly<Record<string, unknown>> = {}) => ({
  name,
  account: '111111111111',
  role: 'test-role',
  bucket: `${name}-bucket`,
  region: 'cn-north-1',
  stsEndpoint: 'http://127.0.0.1:1',
  accessKey: 'SENTINEL-long-lived-access-key',
  secretKey: 'SENTINEL-long-lived-secret-key',
  ...changes,
})

/** An environment whose targets stand in a file of this content, beside `ak`, `sk` and `empty`. */
export function targetsFile(t: Test, content: unknown, policies?: Readonly<Record<string, string>>): Environment {
  const dir = t.testdir({
    'targets.yaml': typeof content === 'string' ? content : JSON.stringify(content),
    ak: 'SENTINEL-long-lived-access-key\n',
    sk: 'SENTINEL-long-lived-secret-key\n',
    empty: '\n',
    policies: { ...policies },
  })
  const env = { ...NO_SINGLE_TARGET, TARGETS_FILE: `${dir}/targets.yaml` }
  return policies ? { ...env, POLICIES_DIR: `${dir}/policies` } : env
}
