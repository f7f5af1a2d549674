import t from 'tap'
import { run } from '../../helpers/cli.ts'
import { entry, targetsFile } from '../../helpers/targets.ts'
import { statement, templateText } from '../../helpers/templates.ts'

const ENV = {
  JDCLOUD_ACCOUNT_ID: '123456789012',
  JDCLOUD_ROLE_NAME: 'vend-role',
  OSS_BUCKET: 'my-app',
  OSS_REGION: 'cn-east-2',
  POLICIES_DIR: 'policies',
}
const AWS = {
  CREDENTIAL_SOURCE: 'aws-sts',
  AWS_STS_ENDPOINT: 'https://sts.example.com',
  AWS_STS_ROLE_ARN: 'arn:aws-cn:iam::123456789012:role/vend-role',
  OSS_ENDPOINT: 'https://s3.example.com',
  OSS_BUCKET: 'my-app',
  OSS_REGION: 'cn-north-1',
  POLICIES_DIR: 'policies',
}
const EXAMPLE = { can: ['PutObject users/alice/1'], cannot: ['PutObject users/bob/1'] }
const examples = [{ caller: { sub: 'alice' }, ...EXAMPLE }]

const oss = (key: string) => `jrn:oss:*:123456789012:my-app/${key}`
const DOCUMENTS = {
  role: {
    Version: '3',
    Statement: [
      { Effect: 'Allow', Action: ['oss:GetObject'], Resource: [oss('public/*')] },
      {
        Effect: 'Allow',
        Action: [
          'oss:PutObject',
          'oss:GetObject',
          'oss:DeleteObject',
          'oss:AbortMultipartUpload',
          'oss:ListMultipartUploadParts',
        ],
        Resource: [oss('users/*/*')],
      },
    ],
  },
  trust: {
    Version: '3',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { JDCLOUD: 'jrn:iam::123456789012:root' },
        Action: 'sts:assumeRole',
        Resource: '*',
      },
    ],
  },
  user: {
    Version: '3',
    Statement: [{ Effect: 'Allow', Action: ['sts:assumeRole'], Resource: ['jrn:iam::123456789012:role/vend-role'] }],
  },
}

const json = async (args: readonly string[], env: Record<string, string | undefined>) => {
  const { exitCode, out, err } = await run(['iam', '--json', ...args], { env })
  return { exitCode, err, roles: exitCode === 0 ? JSON.parse(out).roles : undefined }
}

t.test('--json prints everything about each role', async (t) => {
  const { exitCode, err, roles } = await json([], ENV)
  t.equal(exitCode, 0)
  t.equal(err, '')
  t.strictSame(roles, [
    {
      role: 'jrn:iam::123456789012:role/vend-role',
      kind: 'jdcloud',
      targets: ['default'],
      templates: ['album-upload', 'shared-download', 'user-files', 'user-upload'],
      sessionSeconds: 3600,
      wantedSeconds: 3600,
      documents: DOCUMENTS,
    },
  ])
})

for (const name of ['role', 'trust', 'user'] as const) {
  t.test(`--document ${name} prints this document alone, and words only on standard error`, async (t) => {
    const { exitCode, out, err } = await run(['iam', '--document', name], { env: ENV })
    t.equal(exitCode, 0)
    t.strictSame(JSON.parse(out), DOCUMENTS[name])
    t.equal(err.split('\n').filter((line) => line !== '' && !line.startsWith('# ')).length, 0)
    t.strictSame((await json(['--document', name], ENV)).roles[0].documents, { [name]: DOCUMENTS[name] })
  })
}

t.test('without --document all three are printed, each after a heading', async (t) => {
  const { out, err } = await run(['iam'], { env: ENV, terminal: true })
  t.equal(
    out,
    Object.values(DOCUMENTS)
      .map((one) => `${JSON.stringify(one, null, 2)}\n`)
      .join(''),
  )
  t.match(err, /Permissions of jrn:iam::123456789012:role\/vend-role/u)
  t.match(err, /templates album-upload, shared-download, user-files, user-upload/u)
  t.match(err, /sessions of 3600 seconds/u)
  t.match(err, /Trust of jrn:iam::123456789012:role\/vend-role/u)
  t.match(err, /compare it with the console's own/u, 'nobody has tried the form of the trust')
  t.match(err, /Permissions of the sub-user/u)
})

t.test('--user narrows the trust to one user', async (t) => {
  const principal = async (env: Record<string, string>, user: string) => {
    const { roles } = await json(['--document', 'trust', '--user', user], env)
    return roles[0].documents.trust.Statement[0].Principal
  }
  t.strictSame(await principal(ENV, 'test-iam'), { JDCLOUD: 'jrn:iam::123456789012:user/test-iam' })
  t.strictSame(await principal(AWS, 'test-iam'), { AWS: 'arn:aws-cn:iam::123456789012:user/test-iam' })
  for (const name of ['*', 'a:b', 'jrn:iam::1:user/x', '', 'a b']) {
    const { exitCode, err } = await run(['iam', '--user', name], { env: ENV })
    t.equal(exitCode, 2, name)
    t.match(err, /must be the name of a user/u)
  }
})

t.test('an AWS-compatible STS gets the documents of AWS', async (t) => {
  const { roles } = await json([], AWS)
  const { role, trust, user } = roles[0].documents
  t.strictSame(trust, {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: 'arn:aws-cn:iam::123456789012:root' }, Action: 'sts:AssumeRole' }],
  })
  t.strictSame(user, {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['sts:AssumeRole'], Resource: ['arn:aws-cn:iam::123456789012:role/vend-role'] },
    ],
  })
  t.equal(role.Version, '2012-10-17')
  t.strictSame(role.Statement[0], {
    Effect: 'Allow',
    Action: ['s3:GetObject'],
    Resource: ['arn:aws-cn:s3:::my-app/public/*'],
  })
  t.strictSame(role.Statement[1].Resource, ['arn:aws-cn:s3:::my-app/users/*/*'])
})

t.test("Ceph's ARN names no account, so its trust needs the name of the user", async (t) => {
  const env = { ...AWS, AWS_STS_ROLE_ARN: 'arn:aws:iam:::role/test-role' }
  const { exitCode, err } = await run(['iam'], { env })
  t.equal(exitCode, 2)
  t.match(err, /names no account .*--user/u)
  t.equal((await run(['iam', '--document', 'role'], { env })).exitCode, 0)
  const { roles } = await json(['--user', 'test-iam'], env)
  t.strictSame(roles[0].documents.trust.Statement[0].Principal, { AWS: 'arn:aws:iam:::user/test-iam' })
})

t.test('no key is needed, and none is printed', async (t) => {
  for (const [env, name] of [
    [ENV, 'JDCLOUD'],
    [AWS, 'AWS_STS'],
  ] as const) {
    const keys = { [`${name}_ACCESS_KEY`]: 'SENTINEL-access', [`${name}_SECRET_KEY_FILE`]: '/nowhere/SENTINEL' }
    const [without, given] = [
      await run(['iam', '--user', 'u'], { env }),
      await run(['iam', '--user', 'u'], { env: { ...env, ...keys } }),
    ]
    t.equal(without.exitCode, 0)
    t.strictSame(given, without)
    t.notMatch(given.out + given.err, /SENTINEL|not-read/u)
  }
})

t.test('nothing is invented for a setting that is missing or wrong', async (t) => {
  for (const name of ['JDCLOUD_ACCOUNT_ID', 'JDCLOUD_ROLE_NAME', 'OSS_BUCKET'] as const) {
    for (const value of [undefined, '*']) {
      const { exitCode, out, err } = await run(['iam'], { env: { ...ENV, [name]: value } })
      t.equal(exitCode, 2)
      t.equal(out, '')
      t.match(err, new RegExp(`^${name}: .*must be`, 'u'))
    }
  }
  const { exitCode, err } = await run(['iam'], { env: { ...ENV, CREDENTIAL_SOURCE: 'azure' } })
  t.equal(exitCode, 2)
  t.match(err, /CREDENTIAL_SOURCE: must be jdcloud or aws-sts/u)
})

t.test('templates with an error get no document', async (t) => {
  const dir = t.testdir({ 'open.yaml': templateText({ policy: { Version: '3', Statement: [statement('*')] } }) })
  const { exitCode, out, err } = await run(['iam', '--dir', dir], { env: ENV })
  t.equal(exitCode, 1)
  t.equal(out, '')
  t.match(err, /whole-bucket/u)
})

t.test('a template for nobody needs no permissions', async (t) => {
  const dir = t.testdir({ 'nobody.yaml': templateText({ allow: undefined, examples: undefined }) })
  const { roles } = await json(['--dir', dir], ENV)
  t.match(roles[0], { templates: [], documents: { role: null } })
  const { out, err } = await run(['iam', '--dir', dir, '--document', 'role'], { env: ENV })
  t.equal(out, '')
  t.match(err, /No template leads to default, so the role needs no permissions/u)
})

t.test('the longest template says how long sessions must be, up to what the service asks for', async (t) => {
  const dir = t.testdir({ 'long.yaml': templateText({ durationSeconds: 7200, examples }) })
  const seconds = async (most: string) =>
    (await json(['--dir', dir], { ...ENV, JDCLOUD_MAX_SESSION_SECONDS: most })).roles[0].sessionSeconds
  t.equal(await seconds('43200'), 7200)
  t.equal(await seconds('3600'), 3600)
  const heading = async (most: string) =>
    (await run(['iam', '--dir', dir], { env: { ...ENV, JDCLOUD_MAX_SESSION_SECONDS: most } })).err
  t.match(
    await heading('3600'),
    'allow sessions of 3600 seconds.\n# A template asks for 7200: allow those in the role, and set JDCLOUD_MAX_SESSION_SECONDS to 7200, or callers receive shorter sessions.\n',
  )
  t.notMatch(await heading('7200'), /A template asks for/u)
  const aws = await run(['iam', '--dir', dir], { env: AWS })
  t.match(aws.err, /and set AWS_STS_MAX_SESSION_SECONDS to 7200/u)
})

t.test('several targets', async (t) => {
  const env = targetsFile(
    t,
    [
      entry('acme'),
      entry('beta', { account: '222222222222' }),
      entry('twin', { bucket: 'other-bucket' }),
      entry('idle', { role: 'idle-role' }),
    ],
    {
      'a.yaml': templateText({ target: 'acme', examples }),
      'b.yaml': templateText({ target: 'beta', examples }),
      'c.yaml': templateText({ target: 'twin', examples }),
    },
  )
  const keys = (role: { documents: { role: { Statement: { Resource: string[] }[] } | null } }) =>
    role.documents.role?.Statement.flatMap(({ Resource }) => Resource)

  t.test('targets of one role share its documents', async (t) => {
    const { roles } = await json([], env)
    t.strictSame(
      roles.map((one: Parameters<typeof keys>[0] & { targets: string[] }) => [one.targets, keys(one)]),
      [
        [
          ['acme', 'twin'],
          ['jrn:oss:*:111111111111:acme-bucket/users/*/*', 'jrn:oss:*:111111111111:other-bucket/users/*/*'],
        ],
        [['beta'], ['jrn:oss:*:222222222222:beta-bucket/users/*/*']],
        [['idle'], undefined],
      ],
    )
  })
  t.test('--target chooses the role of a target, whole', async (t) => {
    const { roles } = await json(['--target', 'twin'], env)
    t.equal(roles.length, 1)
    t.strictSame(roles[0].targets, ['acme', 'twin'])
  })
  t.test('one document of several roles is not printed, because it could be pasted for another role', async (t) => {
    const { exitCode, out, err } = await run(['iam', '--document', 'role'], { env })
    t.equal(exitCode, 2)
    t.equal(out, '')
    t.match(err, /3 roles: choose one by --target, such as one of acme, beta, idle/u)
    t.equal((await run(['iam', '--document', 'role', '--target', 'beta'], { env })).exitCode, 0)
  })
  t.test('an unknown target is named', async (t) => {
    const { exitCode, err } = await run(['iam', '--target', 'akme'], { env })
    t.equal(exitCode, 2)
    t.match(err, /no target is called akme: did you mean acme\?/u)
  })
})

t.test('buckets of several regions have one role on AWS', async (t) => {
  const target = (name: string, region: string) => ({
    name,
    source: 'aws-sts',
    role: AWS.AWS_STS_ROLE_ARN,
    stsEndpoint: AWS.AWS_STS_ENDPOINT,
    endpoint: AWS.OSS_ENDPOINT,
    bucket: `${name}-app`,
    region,
    accessKey: 'x',
    secretKey: 'y',
  })
  const Resource = ['jrn:oss:${region}:${account}:${bucket}/users/${jwt:sub}/*']
  const policy = { Version: '3', Statement: [{ Effect: 'Allow', Action: ['oss:PutObject'], Resource }] }
  const env = targetsFile(t, [target('east', 'cn-east-1'), target('west', 'cn-west-1')], {
    'e.yaml': templateText({ target: 'east', policy, examples }),
    'w.yaml': templateText({ target: 'west', policy, examples }),
  })
  const { roles } = await json([], env)
  t.equal(roles.length, 1)
  t.strictSame(
    roles[0].documents.role.Statement.map((one: { Resource: string[] }) => one.Resource),
    [['arn:aws-cn:s3:::east-app/users/*/*'], ['arn:aws-cn:s3:::west-app/users/*/*']],
  )
})

t.test('a large document says what to do with it', async (t) => {
  const many = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `t${i}.yaml`,
        templateText({
          policy: { Version: '3', Statement: [statement(`folder-${i}/\${jwt:sub}/*`)] },
          examples: [{ caller: { sub: 'alice' }, can: [`PutObject folder-${i}/alice/1`], cannot: ['PutObject x'] }],
        }),
      ]),
    )
  const dir = t.testdir({ some: many(115), more: many(180) })
  const notes = async (env: Record<string, string>, folder: string) =>
    (await run(['iam', '--document', 'role', '--dir', `${dir}/${folder}`], { env })).err
  t.match(await notes(ENV, 'some'), /Take the white space out.*6144/u)
  t.notMatch(await notes(AWS, 'some'), /white space/u, 'AWS does not count it')
  for (const env of [ENV, AWS])
    t.match(await notes(env, 'more'), /It has \d{4} characters without white space, .*6144\. .*several policies/u)
  t.notMatch((await run(['iam', '--document', 'role'], { env: ENV })).err, /white space/u)
})
