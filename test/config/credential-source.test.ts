import t from 'tap'
import { readConfig } from '../../src/config/config.ts'
import type { Environment } from '../../src/config/environment.ts'
import { environment, onAwsSts, SENTINELS } from '../helpers/build.ts'
import { faultLines, onlyTargetIn } from '../helpers/config-faults.ts'

const onAws = (changes: Environment = {}) => faultLines({ ...onAwsSts, ...changes })

t.test('the settings of an AWS-compatible store', async (t) => {
  const { sts, oss } = onlyTargetIn(readConfig({ ...environment, ...onAwsSts }))
  t.match(sts, {
    kind: 'aws-sts',
    endpoint: 'http://127.0.0.1:1',
    region: 'cn-north-1',
    accessKey: SENTINELS.stsAccessKey,
    secretKey: SENTINELS.stsSecretKey,
    role: 'arn:aws:iam::222222222222:role/test-role',
    partition: 'aws',
    minSessionSeconds: 900,
    maxSessionSeconds: 3600,
  })
  t.strictSame(oss, {
    account: '222222222222',
    region: 'cn-north-1',
    endpoint: 'https://s3.example.com',
    bucket: 'test-app',
  })
  const own = { AWS_STS_REGION: 'us-east-1', AWS_STS_MAX_SESSION_SECONDS: '900' }
  const changed = onlyTargetIn(readConfig({ ...environment, ...onAwsSts, ...own }))
  t.match(changed.sts, { region: 'us-east-1', maxSessionSeconds: 900 })
  t.equal(changed.oss.region, 'cn-north-1', 'STS and S3 each have a region of their own')
})

t.test('the account and the partition are those of the role', async (t) => {
  const rows = [
    ['arn:aws:iam::333333333333:role/path/to/test-role', '333333333333', 'aws'],
    ['arn:aws-cn:iam::333333333333:role/x', '333333333333', 'aws-cn'],
    ['arn:aws:iam:::role/test-role', '000000000000', 'aws'],
    ['arn:aws:iam::tenant:role/test-role', 'tenant', 'aws'],
    ['arn:minio:iam:::role/x', '000000000000', 'aws'],
  ] as const
  for (const [AWS_STS_ROLE_ARN, account, partition] of rows) {
    const { sts, oss } = onlyTargetIn(readConfig({ ...environment, ...onAwsSts, AWS_STS_ROLE_ARN }))
    t.match({ ...sts, ...oss }, { account, partition, role: AWS_STS_ROLE_ARN })
  }
  const wrong = [
    'test-role',
    'jrn:iam::1:role/x',
    'arn:aws:iam::1:user/x',
    'arn:aws:s3:::role/x',
    'arn:aws:iam::1:role/a b',
  ]
  for (const AWS_STS_ROLE_ARN of wrong) {
    t.strictSame(onAws({ AWS_STS_ROLE_ARN }), ['AWS_STS_ROLE_ARN: must be the ARN of the role to assume'])
  }
})

t.test('a missing setting is named', async (t) => {
  for (const name of ['AWS_STS_ENDPOINT', 'AWS_STS_ROLE_ARN', 'AWS_STS_ACCESS_KEY', 'AWS_STS_SECRET_KEY']) {
    const [line = '', ...others] = onAws({ [name]: '' })
    t.match(line, new RegExp(`^${name}: is required and must be `, 'u'))
    t.strictSame(others, [])
  }
  t.strictSame(onAws({ OSS_ENDPOINT: '' }), ['OSS_ENDPOINT: is required with CREDENTIAL_SOURCE=aws-sts'])
})

t.test('a setting of the other source is a fault, unless it has its default', async (t) => {
  const leftOver = {
    JDCLOUD_ACCESS_KEY: 'x',
    JDCLOUD_SECRET_KEY: 'x',
    JDCLOUD_ACCOUNT_ID: '1',
    JDCLOUD_ROLE_NAME: 'x',
    JDCLOUD_STS_ENDPOINT: 'https://x',
    JDCLOUD_MAX_SESSION_SECONDS: '7200',
    JDCLOUD_STS_TIME_ZONE: 'UTC',
  }
  t.strictSame(
    onAws(leftOver),
    Object.keys(leftOver).map((name) => `${name}: must not be set without CREDENTIAL_SOURCE=jdcloud`),
  )
  const file = { JDCLOUD_SECRET_KEY_FILE: '/nowhere' }
  t.strictSame(onAws(file), ['JDCLOUD_SECRET_KEY_FILE: must not be set without CREDENTIAL_SOURCE=jdcloud'])
  const { AWS_STS_ENDPOINT, AWS_STS_ROLE_ARN, AWS_STS_ACCESS_KEY } = onAwsSts
  const aws = { AWS_STS_ENDPOINT, AWS_STS_ROLE_ARN, AWS_STS_ACCESS_KEY, AWS_STS_ALLOW_PLAINTEXT: 'true' }
  t.strictSame(
    faultLines(aws).toSorted(),
    Object.keys(aws)
      .toSorted()
      .map((name) => `${name}: must not be set without CREDENTIAL_SOURCE=aws-sts`),
  )
  t.strictSame(faultLines({ AWS_STS_MAX_SESSION_SECONDS: '3600', AWS_STS_ALLOW_PLAINTEXT: 'false' }), [])
  t.strictSame(onAws({ JDCLOUD_MAX_SESSION_SECONDS: '3600', JDCLOUD_STS_TIME_ZONE: 'auto' }), [])
})

t.test('of an unknown source no more is said than that', async (t) => {
  t.strictSame(onAws({ CREDENTIAL_SOURCE: 'aws' }), ['CREDENTIAL_SOURCE: must be jdcloud or aws-sts'])
  t.strictSame(faultLines({ CREDENTIAL_SOURCE: 'ceph' }), ['CREDENTIAL_SOURCE: must be jdcloud or aws-sts'])
})

t.test('plain http to another machine needs a decision', async (t) => {
  const ceph = 'http://10.0.0.5:7480'
  const rule = 'must not use plain http, except to loopback'
  const both = { AWS_STS_ENDPOINT: ceph, OSS_ENDPOINT: ceph }
  t.strictSame(onAws(both), [`AWS_STS_ENDPOINT: ${rule}`, `OSS_ENDPOINT: ${rule}`])
  t.strictSame(onAws({ ...both, AWS_STS_ALLOW_PLAINTEXT: 'true' }), [])
  for (const [address, want] of [
    ['http://u:p@10.0.0.5', 'must not carry credentials, a query or a fragment'],
    ['http://10.0.0.5/sts', 'must not have a path'],
    ['ftp://10.0.0.5', 'must be an https URL'],
    ['10.0.0.5:7480', 'must be an absolute URL'],
  ] as const) {
    const faults = onAws({ AWS_STS_ENDPOINT: address, AWS_STS_ALLOW_PLAINTEXT: 'true' })
    t.match(faults, [`AWS_STS_ENDPOINT: ${want}`], address)
  }
  t.strictSame(
    faultLines({ OSS_ENDPOINT: ceph, AWS_STS_ALLOW_PLAINTEXT: 'true' }),
    ['AWS_STS_ALLOW_PLAINTEXT: must not be set without CREDENTIAL_SOURCE=aws-sts', `OSS_ENDPOINT: ${rule}`],
    'with JD Cloud there is no such decision',
  )
})

t.test('variables of AWS SDKs and of EKS are neither faults nor read', async (t) => {
  const foreign = {
    AWS_ACCESS_KEY_ID: 'AKIAFOREIGN',
    AWS_SECRET_ACCESS_KEY: 'foreign',
    AWS_SESSION_TOKEN: 'foreign',
    AWS_REGION: 'eu-west-1',
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_ROLE_ARN: 'arn:aws:iam::999999999999:role/pod',
    AWS_ROLE_SESSION_NAME: 'pod',
    AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/secrets/token',
    AWS_STS_REGIONAL_ENDPOINTS: 'regional',
    AWS_ENDPOINT_URL: 'http://example.test',
    AWS_ENDPOINT_URL_STS: 'http://example.test',
    AWS_CA_BUNDLE: '/ca.pem',
  }
  for (const changes of [{}, onAwsSts]) {
    const base = { ...environment, ...changes }
    t.strictSame(readConfig({ ...base, ...foreign }), readConfig(base))
  }
})
