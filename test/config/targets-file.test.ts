import { unlinkSync } from 'node:fs'
import t from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { environment } from '../helpers/build.ts'
import { configError, configFaults, faultLines } from '../helpers/config-faults.ts'
import { entry, targetsFile } from '../helpers/targets.ts'

const AWS = {
  name: 'archive',
  source: 'aws-sts',
  role: 'arn:aws:iam::222222222222:role/test-role',
  bucket: 'archive-bucket',
  region: 'eu-west-1',
  endpoint: 'https://s3.example.com',
  stsEndpoint: 'https://sts.example.com',
  accessKeyFile: 'ak',
  secretKeyFile: 'sk',
}

t.test('a file of a JD Cloud and an AWS-compatible target', async (t) => {
  const content = [entry('uploads', { maxSessionSeconds: 7200, timeZone: 'UTC', signHost: 'STS.test' }), AWS]
  const { targets, ...rest } = readConfig({ ...environment, ...targetsFile(t, content) })
  t.match(targets, [
    {
      name: 'uploads',
      sts: {
        kind: 'jdcloud',
        endpoint: 'http://127.0.0.1:1',
        role: 'jrn:iam::111111111111:role/test-role',
        accessKey: 'SENTINEL-long-lived-access-key',
        maxSessionSeconds: 7200,
        timeZone: 'UTC',
        signHost: 'sts.test',
      },
      oss: {
        account: '111111111111',
        region: 'cn-north-1',
        bucket: 'uploads-bucket',
        endpoint: 'https://s3.cn-north-1.jdcloud-oss.com',
      },
      keyFiles: {},
    },
    {
      name: 'archive',
      sts: {
        kind: 'aws-sts',
        endpoint: 'https://sts.example.com',
        region: 'eu-west-1',
        secretKey: 'SENTINEL-long-lived-secret-key',
        minSessionSeconds: 900,
      },
      oss: { account: '222222222222', bucket: 'archive-bucket', endpoint: 'https://s3.example.com' },
      keyFiles: { accessKey: /\/ak$/u, secretKey: /\/sk$/u },
    },
  ])
  const single = readConfig(environment)
  t.strictSame({ ...rest, targets: single.targets }, single, 'all other settings are those of a single target')
})

t.test('an account without quotes keeps its zeros', async (t) => {
  const content = `- name: a
  account: 012345678901
  role: test-role
  bucket: test-app
  region: cn-north-1
  accessKeyFile: ak
  secretKeyFile: sk
`
  t.equal(readConfig({ ...environment, ...targetsFile(t, content) }).targets[0]?.oss.account, '012345678901')
})

t.test('each fault names its place', async (t) => {
  const file = (rule: string) => [`TARGETS_FILE: ${rule}`]
  const at = (rule: string, field = '') => [`TARGETS_FILE[0]${field}: ${rule}`]
  const { accessKey, secretKey, ...keyless } = entry('a')
  const accessKeyRule = 'must be the access key of the sub-user that may assume the role, without spaces or line breaks'
  const secretKeyRule = 'must be the secret key that belongs to accessKey, without spaces or line breaks'
  const FIELDS =
    'name, source, account, role, bucket, region, endpoint, stsEndpoint, stsRegion, signHost, timeZone, ' +
    'maxSessionSeconds, allowPlaintext, accessKey, secretKey, keyCreated, accessKeyFile, secretKeyFile'
  const unknown = at(`has a field that is not one of ${FIELDS}`)
  const rows: { name: string; content: unknown; want: string[] }[] = [
    { name: 'bad YAML', content: '- name: "a\n', want: file('must name a readable YAML or JSON file') },
    { name: 'a key twice', content: '- name: a\n  name: b\n', want: file('must name a readable YAML or JSON file') },
    { name: 'nothing', content: '', want: file('must hold a list of at least one target') },
    { name: 'an empty list', content: [], want: file('must hold a list of at least one target') },
    { name: 'a mapping', content: entry('a'), want: file('must hold a list of at least one target') },
    { name: 'an entry that is text', content: ['a'], want: at('has the wrong form') },
    { name: 'an entry that is null', content: '-\n', want: at('has the wrong form') },
    { name: 'a field that is a list', content: [entry('a', { bucket: ['a'] })], want: at('has the wrong form') },
    { name: 'an unknown field', content: [entry('a', { buckets: 'a' })], want: unknown },
    { name: 'a secret as a field', content: '- {name: a, secretKey:SENTINEL}\n', want: unknown },
    ...['__proto__', 'constructor', 'toString'].map((field) => ({
      name: `the field ${field}`,
      content: `- name: a\n  ${field}: x\n`,
      want: unknown,
    })),
    {
      name: 'two targets of one name',
      content: [entry('a'), entry('b'), entry('a', { bucket: 'other' })],
      want: file('each name must appear only once'),
    },
    ...['', 'A', 'a.b', 'a/b', '-a', 'a'.repeat(33), '*', 'é'].map((name) => ({
      name: `the name ${name}`,
      content: [entry('a', { name })],
      want: at('must be 1 to 32 of a-z, 0-9 and -', '.name'),
    })),
    {
      name: 'no keys',
      content: [keyless],
      want: [
        ...at(`is required and ${accessKeyRule}`, '.accessKey'),
        ...at(`is required and ${secretKeyRule}`, '.secretKey'),
      ],
    },
    {
      name: 'keys inline and in a file',
      content: [entry('a', { accessKeyFile: 'ak' })],
      want: at('must not be set beside accessKeyFile', '.accessKey'),
    },
    {
      name: 'a file of keys that is not there',
      content: [{ ...keyless, accessKeyFile: 'none', secretKeyFile: 'empty' }],
      want: [
        ...at('must name a readable file', '.accessKeyFile'),
        ...at('must not name an empty file', '.secretKeyFile'),
      ],
    },
    {
      name: 'a key in two lines',
      content: [entry('a', { secretKey: 'SENTINEL\nb' })],
      want: at(secretKeyRule, '.secretKey'),
    },
    ...['null', '~', 'Null'].map((nothing) => ({
      name: `a key that is ${nothing}`,
      content: `- ${JSON.stringify({ ...entry('a'), secretKey: 'NOTHING', signHost: 'NOTHING' }).replaceAll('"NOTHING"', nothing)}\n`,
      want: at(`is required and ${secretKeyRule}`, '.secretKey'),
    })),
    { name: 'a key whose letters are null', content: [entry('a', { secretKey: 'null' })], want: [] },
    {
      name: 'no bucket',
      content: [entry('a', { bucket: undefined })],
      want: at('is required and must be a bucket name: 3 to 63 of a-z, 0-9 and -', '.bucket'),
    },
    {
      name: 'a role as a JRN',
      content: [entry('a', { role: 'jrn:iam::1:role/x' })],
      want: at('must be the name of the role to assume', '.role'),
    },
    {
      name: 'another source',
      content: [entry('a', { source: 'aws' })],
      want: at('must be jdcloud or aws-sts', '.source'),
    },
    {
      name: 'a field of the other source',
      content: [entry('a', { stsRegion: 'eu-west-1' }), { ...AWS, signHost: 'sts.test' }],
      want: [
        ...at('must not be set without source=aws-sts', '.stsRegion'),
        'TARGETS_FILE[1].signHost: must not be set without source=jdcloud',
      ],
    },
    {
      name: 'plain http to another machine',
      content: [entry('a', { stsEndpoint: 'http://sts.example.com', endpoint: 'http://s3.example.com' })],
      want: [
        ...at('must not use plain http, except to loopback', '.stsEndpoint'),
        ...at('must not use plain http, except to loopback', '.endpoint'),
      ],
    },
    {
      name: 'STS with a path',
      content: [entry('a', { stsEndpoint: 'https://sts.example.com/v1' })],
      want: at('must not have a path', '.stsEndpoint'),
    },
    {
      name: 'faults of two targets',
      content: [entry('a', { account: 'x' }), entry('b', { region: 'x' })],
      want: [
        ...at('must be the account number, digits only', '.account'),
        'TARGETS_FILE[1].region: must be a region such as cn-north-1',
      ],
    },
  ]
  for (const { name, content, want } of rows) {
    t.test(name, async (t) => {
      const env = targetsFile(t, content)
      t.strictSame(faultLines(env), want)
      t.notMatch(configError(env)?.message ?? '', /SENTINEL/u, 'no fault quotes a value')
    })
  }
})

t.test('a file of keys is looked for beside the targets file', async (t) => {
  const { accessKey, secretKey, ...keyless } = entry('a')
  const env = targetsFile(t, [{ ...keyless, accessKeyFile: 'none', secretKeyFile: 'none' }])
  const remedies = configFaults(env).map(({ remedy }) => remedy)
  t.strictSame(remedies, Array(2).fill('the path is relative to the targets file'))
})

t.test('a file that cannot be read', async (t) => {
  const env = targetsFile(t, [entry('a')])
  unlinkSync(env.TARGETS_FILE ?? '')
  t.strictSame(faultLines(env), ['TARGETS_FILE: must name a readable YAML or JSON file'])
})

t.test('no variable of a single target stands beside the file, unless it has its default', async (t) => {
  const env = targetsFile(t, [entry('a')])
  const defaults = { CREDENTIAL_SOURCE: 'jdcloud', JDCLOUD_STS_ENDPOINT: 'https://sts.jdcloud-api.com' }
  t.strictSame(faultLines({ ...env, ...defaults }), [])
  const given = {
    CREDENTIAL_SOURCE: 'aws-sts',
    JDCLOUD_SECRET_KEY_FILE: '/run/secrets/x',
    JDCLOUD_ACCOUNT_ID: '1',
    AWS_STS_ROLE_ARN: 'arn:aws:iam::1:role/x',
    OSS_BUCKET: 'test-app',
    OSS_ENDPOINT: 'https://s3.example.com',
  }
  const want = Object.keys(given).map((name) => `${name}: must not be set beside TARGETS_FILE`)
  t.strictSame(faultLines({ ...env, ...given }).sort(), want.sort())
})
