import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { run } from '../helpers/cli.ts'
import { statement, templateText } from '../helpers/templates.ts'

const ALICE = ['--claim', 'sub=alice', '--claim', 'scope=oss.upload']
const LEAKING = `description: d
allow:
  issuer: app
policy:
  Version: "3"
  Statement:
    - Effect: Allow
      Action: [oss:PutObject, oss:AbortMultipartUpload]
      Resource: jrn:oss:*:\${account}:\${bucket}/users/\${jwt:sub}*
examples:
  - caller: { sub: alice }
    can: [PutObject users/alice/1]
    cannot: [PutObject users/bob/1]
`

t.test('--help works for every command, on standard output, with exit code 0', async (t) => {
  const commands = ['lint', 'test', 'render', 'explain', 'schema', 'diff'].map((name) => ['policies', name])
  for (const command of [
    [],
    ['serve'],
    ['credentials'],
    ['iam'],
    ['token'],
    ['token', 'inspect'],
    ['policies'],
    ...commands,
  ]) {
    const { exitCode, out, err } = await run([...command, '--help'])
    t.equal(exitCode, 0, command.join(' '))
    t.match(out, `Usage: oss-vend${command.length > 0 ? ` ${command.join(' ')}` : ''}`)
    t.equal(err, '')
  }
})

t.test('wrong usage exits with 2 and says what is wrong', async (t) => {
  const rows: { args: string[]; want: RegExp; env?: Record<string, string> }[] = [
    { args: ['bogus'], want: /unknown command 'bogus'/u },
    { args: ['policies'], want: /Usage: oss-vend policies/u },
    { args: ['policies', 'lnt'], want: /unknown command 'lnt'/u },
    { args: ['policies', 'lint', '--strict'], want: /unknown option '--strict'/u },
    { args: ['policies', 'lint', 'a', 'b'], want: /too many arguments/u },
    { args: ['policies', 'diff', 'policies'], want: /missing required argument 'after'/u },
    { args: ['policies', 'render', 'user-uplod', ...ALICE], want: /did you mean user-upload\?/u },
    { args: ['policies', 'render', 'zzz', ...ALICE], want: /it has album-upload, shared-download/u },
    { args: ['policies', 'render', 'user-upload'], want: /--claim sub=alice/u },
    { args: ['policies', 'render', 'user-upload', '--claim', 'sub'], want: /must be name=value/u },
    { args: ['policies', 'render', 'user-upload', ...ALICE, '--claim', 'sub=bob'], want: /sub is given twice/u },
    { args: ['policies', 'render', 'user-upload', ...ALICE, '--claim', 'issuer=app'], want: /use --as-issuer/u },
    { args: ['policies', 'render', 'user-upload', ...ALICE, '--duration', '1h'], want: /whole number of seconds/u },
    {
      args: ['policies', 'explain', 'user-upload', ...ALICE, '--operation', 'Put'],
      want: /Allowed choices are PutObject/u,
    },
    { args: ['policies', 'explain', 'user-upload', ...ALICE, '--key', 'a'], want: /--key needs --operation/u },
    {
      args: ['policies', 'explain', 'user-upload', ...ALICE, '--operation', 'PutObject'],
      want: /--key is required for PutObject/u,
    },
    { args: ['policies', 'lint'], env: { OSS_BUCKET: 'NOT A BUCKET' }, want: /OSS_BUCKET must be a bucket name/u },
    {
      args: ['policies', 'lint'],
      env: { JWT_ISSUERS_FILE: '/nowhere' },
      want: /JWT_ISSUERS_FILE must name a readable list of issuers/u,
    },
  ]
  for (const { args, want, env = {} } of rows) {
    const { exitCode, out, err } = await run(args, { env })
    t.equal(exitCode, 2, args.join(' '))
    t.match(err, want)
    t.equal(out, '')
  }
})

t.test('lint shows place, line, reason and remedy', async (t) => {
  const directory = t.testdir({ 'mine.yaml': LEAKING })
  const { exitCode, out } = await run(['policies', 'lint', directory])
  t.equal(exitCode, 1)
  t.equal(
    out.replaceAll(`${directory}/`, ''),
    [
      'mine.yaml:9:17  error  variable-before-wildcard',
      "  policy.Statement.0.Resource.0: ${jwt:sub} touches *: alice's value also opens alice2's folder",
      '  9 |       Resource: jrn:oss:*:${account}:${bucket}/users/${jwt:sub}*',
      '    |                 ^',
      '  → put a / between them, as in users/${jwt:sub}/*',
      '  docs/policies.md#variable-before-wildcard',
      '',
      `✗ 1 template in ${directory}, 1 error, 0 warnings`,
      '',
    ].join('\n'),
  )
  const { out: json, exitCode: code } = await run(['policies', 'lint', directory, '--json'])
  t.equal(code, 1)
  t.match(JSON.parse(json), {
    directory,
    templates: 1,
    errors: 1,
    warnings: 0,
    findings: [
      { file: `${directory}/mine.yaml`, line: 9, column: 17, rule: 'variable-before-wildcard', severity: 'error' },
    ],
  })
  t.strictSame(await run(['policies', 'lint', 'policies']), {
    exitCode: 0,
    out: '✓ 4 templates in policies, 0 errors, 0 warnings\n',
    err: '',
    served: false,
  })
})

t.test('warnings alone do not fail', async (t) => {
  const { exitCode, out } = await run(['policies', 'lint', t.testdir({ 'mine.yaml': templateText() })])
  t.equal(exitCode, 0)
  t.match(out, /warning {2}no-examples[\s\S]*✓ 1 template in .*, 0 errors, 2 warnings/u)
})

t.test('only terminals get colour and progress', async (t) => {
  const directory = t.testdir({ 'mine.yaml': LEAKING })
  const ansi = '\u001b['
  t.match((await run(['policies', 'lint', directory], { terminal: true })).out, ansi)
  t.notMatch((await run(['policies', 'lint', directory])).out, ansi)
  const many = t.testdir(Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`t${n}.yaml`, templateText()])))
  t.match((await run(['policies', 'test', many], { terminal: true })).err, /\r\d+ of 300 templates/u)
  t.equal((await run(['policies', 'test', many])).err, '')
})

t.test('test shows a tick or a cross for each line of the examples', async (t) => {
  const good = await run(['policies', 'test', 'policies'])
  t.equal(good.exitCode, 0)
  t.match(good.out, '    ✓ cannot PutObject users/bob/photo.jpg\n')
  t.match(good.out, /\n✓ 36 passed, 0 failed\n$/u)

  const sound = LEAKING.replace('sub}*', 'sub}/*')
  const directory = t.testdir({
    'a.yaml': sound.replace('cannot: [', 'cannot: [PutObject users/alice/2, '),
    'b.yaml': LEAKING,
  })
  const bad = await run(['policies', 'test', directory])
  t.equal(bad.exitCode, 1)
  t.match(bad.out, '  sub=alice\n    ✓ can    PutObject users/alice/1\n')
  t.match(bad.out, '    ✗ cannot PutObject users/alice/2: should be refused, but is allowed\n')
  t.match(bad.out, '  ! not tested: 1 error\n')
  t.match(bad.out, '✗ 2 passed, 1 failed, 1 template not tested: see policies lint\n')
  const { out } = await run(['policies', 'test', directory, '--json'])
  t.match(JSON.parse(out), {
    passed: 2,
    failed: 1,
    notRun: 1,
    templates: [
      { name: 'a', tested: true },
      { name: 'b', tested: false },
    ],
  })

  const dated = await run(['policies', 'test', 'docs/cookbook', '--issuer', 'app', '--issuer', 'partner'])
  t.match(dated.out, /sub=alice scope=oss.upload kind=films at 2026-12-31T23:59:59.000Z\n/u, 'an example tells its day')

  const empty = await run(['policies', 'test', t.testdir({})])
  t.equal(empty.exitCode, 1)
  t.match(empty.out, 'has no template')
})

t.test('render prints the session policy, or the refusal', async (t) => {
  const { exitCode, out } = await run(['policies', 'render', 'album-upload', ...ALICE, '--param', 'album=trip'])
  t.equal(exitCode, 0)
  t.strictSame(JSON.parse(out), {
    Version: '3',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['oss:PutObject', 'oss:AbortMultipartUpload'],
        Resource: ['jrn:oss:*:111111111111:test-app/users/alice/albums/trip/*'],
      },
    ],
  })
  const env = { JDCLOUD_ACCOUNT_ID: '222222222222', OSS_BUCKET: 'other-app' }
  t.match(
    (await run(['policies', 'render', 'user-upload', ...ALICE], { env })).out,
    ':222222222222:other-app/users/alice/*',
  )
  t.match(JSON.parse((await run(['policies', 'render', 'user-upload', ...ALICE, '--json'])).out), {
    template: 'user-upload',
    roleSessionName: 'user-upload@alice',
    policy: { Version: '3' },
  })

  const refused = await run(['policies', 'render', 'user-upload', '--claim', 'sub=alice'])
  t.strictSame([refused.exitCode, refused.out, refused.err], [1, '', 'policy_not_allowed: claim "scope" is missing\n'])
  const unsafe = await run(['policies', 'render', 'user-upload', '--claim', 'sub=*', '--claim', 'scope=oss.upload'])
  t.match([unsafe.exitCode, unsafe.err], [1, /unsafe_value: claim "sub"/u])
  t.match(unsafe.err, 'use ${jwt:sub|hash}', 'operators are told the remedy')
  const leaking = t.testdir({ 'mine.yaml': LEAKING })
  const unsound = await run(['policies', 'render', 'mine', '--dir', leaking, '--claim', 'sub=alice'])
  t.match([unsound.exitCode, unsound.err], [1, /variable-before-wildcard/u])
})

t.test('explain shows every condition with its values, the policy, and what allows an operation', async (t) => {
  const ask = ['--operation', 'PutObject', '--key', 'users/alice/1.jpg']
  const { exitCode, out } = await run(['policies', 'explain', 'user-upload', ...ALICE, ...ask])
  t.equal(exitCode, 0)
  t.match(out, 'user-upload for sub=alice scope=oss.upload of issuer app\n')
  t.match(out, '  ✓ scope holds any of oss.upload\n')
  t.match(out, '✓ granted for 3600 seconds as user-upload@alice\n')
  t.match(
    out,
    '✓ PutObject is allowed, by Statement.0: oss:PutObject on jrn:oss:cn-north-1:111111111111:test-app/users/alice/1.jpg\n',
  )

  const shut = await run([
    'policies',
    'explain',
    'user-upload',
    ...ALICE,
    '--operation',
    'GetObject',
    '--key',
    'users/alice/1.jpg',
  ])
  t.equal(shut.exitCode, 1)
  t.match(shut.out, '✗ GetObject is refused, no statement allows it: oss:GetObject on ')

  const refused = await run([
    'policies',
    'explain',
    'user-upload',
    '--claim',
    'sub=alice',
    '--claim',
    'scope=["openid"]',
  ])
  t.equal(refused.exitCode, 1)
  t.match(refused.out, '  ✗ scope holds any of oss.upload: it is ["openid"]\n')
  t.match(refused.out, '✗ refused with 403 policy_not_allowed: claim "scope" does not hold a required value\n')

  const text = templateText({ allow: { any: [{ issuer: 'web' }, { claims: { level: { atLeast: 3 } } }] } })
  const directory = t.testdir({ 'mine.yaml': text.replace('${jwt:sub}', '${issuer}/${jwt:sub}') })
  const issuers = ['--issuer', 'app', '--issuer', 'web', '--dir', directory, '--claim', 'sub=alice']
  t.equal((await run(['policies', 'explain', 'mine', ...issuers, '--as-issuer', 'web'])).exitCode, 0)
  const nobodys = await run(['policies', 'explain', 'mine', ...issuers, '--as-issuer', 'w'])
  t.match(nobodys, { exitCode: 2, err: /no issuer is called w; configured: app, web/u })
  const either = await run(['policies', 'explain', 'mine', ...issuers, '--claim', 'level=2'])
  t.match(either.out, '  one of:\n    ✗ issuer is web: it is "app"\n  or:\n    ✗ level is at least 3: it is 2\n')
  t.equal((await run(['policies', 'explain', 'mine', ...issuers, '--claim', 'level=3'])).exitCode, 0)

  const ofWeb = t.testdir({ 'mine.yaml': templateText({ allow: { issuer: 'web' } }) })
  const asked = ['mine', '--issuer', 'app', '--issuer', 'web', '--dir', ofWeb, '--claim', 'sub=alice']
  t.match(await run(['policies', 'explain', ...asked]), { exitCode: 0, out: /of issuer web\n/u }, 'as an example')
  t.equal((await run(['policies', 'render', ...asked])).exitCode, 0)
  t.equal((await run(['policies', 'explain', ...asked, '--as-issuer', 'app'])).exitCode, 1)

  const json = JSON.parse((await run(['policies', 'explain', 'user-upload', ...ALICE, ...ask, '--json'])).out)
  t.match(json, {
    policy: 'user-upload',
    granted: true,
    conditions: { held: true },
    answer: { allowed: true, statement: 0 },
  })
})

t.test('diff shows gains and losses, and fails on a gain', async (t) => {
  const shipped = readFileSync('policies/user-upload.yaml', 'utf8')
  const directory = t.testdir({
    before: { 'user-upload.yaml': shipped },
    more: { 'user-upload.yaml': shipped.replace('oss:AbortMultipartUpload]', 'oss:GetObject]') },
    less: { 'user-upload.yaml': shipped.replace('${jwt:sub}/*', () => '${jwt:sub}/in/*') },
    broken: { 'a.yaml': 'x: 1' },
  })
  const diff = (before: string, after: string, ...args: string[]) =>
    run(['policies', 'diff', `${directory}/${before}`, `${directory}/${after}`, ...args])

  t.match(await diff('before', 'before'), { exitCode: 0, out: '✓ 0 gains, 0 losses, 0 unclear\n', err: '' })
  const more = await diff('before', 'more')
  t.equal(more.exitCode, 1)
  t.equal(
    more.out,
    [
      '+ user-upload: sub=alice scope=oss.upload of issuer app can now',
      '    oss:GetObject jrn:oss:*:111111111111:test-app/users/alice/*',
      '- user-upload: sub=alice scope=oss.upload of issuer app can no longer',
      '    oss:AbortMultipartUpload jrn:oss:*:111111111111:test-app/users/alice/*',
      '✗ 1 gain, 1 loss, 0 unclear',
      '',
    ].join('\n'),
  )
  const gains = [{ template: 'user-upload', allowances: [{ action: 'oss:GetObject' }] }]
  t.match(JSON.parse((await diff('before', 'more', '--json')).out), { gains, unclear: [] })
  t.equal((await diff('before', 'less')).exitCode, 0, 'less is fine')
  t.match(await diff('before', 'broken'), { exitCode: 1, out: '', err: /a\.yaml:1:1: error schema/u })
})

t.test('lint lists accepted findings, and diff fails on new ones', async (t) => {
  const open = (accept?: Record<string, string>) =>
    templateText({
      policy: { Version: '3', Statement: [{ ...statement('*'), Action: ['oss:GetObject'] }] },
      examples: [{ caller: { sub: 'alice' }, cannot: ['PutObject users/bob/1'] }],
      accept,
    })
  const accept = { 'whole-bucket': 'operators read all of it' }
  const directory = t.testdir({
    before: { 'mine.yaml': open() },
    after: { 'mine.yaml': open(accept) },
    stale: { 'mine.yaml': open({ ...accept, 'list-bucket': 'operators list it' }) },
  })
  const lint = await run(['policies', 'lint', `${directory}/after`])
  t.equal(lint.exitCode, 0)
  t.match(
    lint.out,
    /mine\.yaml:1:\d+ {2}accepted {2}whole-bucket\n[\s\S]*\n {2}✓ accepted: operators read all of it\n/u,
  )
  t.match(lint.out, /✓ 1 template in .*, 0 errors, 0 warnings, 1 accepted\n$/u)
  const { out: json } = await run(['policies', 'lint', `${directory}/after`, '--json'])
  t.match(JSON.parse(json), {
    errors: 0,
    warnings: 0,
    accepted: 1,
    findings: [{ rule: 'whole-bucket', severity: 'accepted', reason: 'operators read all of it' }],
  })
  const stale = await run(['policies', 'lint', `${directory}/stale`])
  t.equal(stale.exitCode, 0)
  t.match(stale.out, /warning {2}stale-acceptance\n {2}accept\.list-bucket: /u)
  const refused = await run(['policies', 'lint', `${directory}/before`])
  t.equal(refused.exitCode, 1)
  t.match(refused.out, '; if it is intended, say why: accept: { whole-bucket: "<reason>" }\n')

  const diff = await run(['policies', 'diff', `${directory}/before`, `${directory}/after`])
  t.equal(diff.exitCode, 1)
  t.match(diff.out, /^\+ mine: now accepts\n {4}whole-bucket: .* \(operators read all of it\)\n/u)
  t.match(diff.out, '✗ 0 gains, 0 losses, 0 unclear, 1 newly accepted\n')
  t.equal((await run(['policies', 'diff', `${directory}/after`, `${directory}/after`])).exitCode, 0)
  t.equal((await run(['policies', 'diff', `${directory}/after`, `${directory}/before`])).exitCode, 0)
  const { out } = await run(['policies', 'diff', `${directory}/before`, `${directory}/after`, '--json'])
  t.match(JSON.parse(out).accepted, [{ template: 'mine', rule: 'whole-bucket', reason: 'operators read all of it' }])
})

t.test('issuers come from options or from the issuers file, whose secrets are never read', async (t) => {
  const directory = t.testdir({
    'mine.yaml': templateText({ allow: { claims: { scope: 'x' } } }),
    issuers: '- {name: app, secret: SENTINEL}\n- {name: web, whatever: 1}\n',
  })
  const rules = async (args: string[], env = {}) => {
    const { out } = await run(['policies', 'lint', directory, '--json', ...args], { env })
    t.notMatch(out, 'SENTINEL')
    return JSON.parse(out).findings.map(({ rule }: { rule: string }) => rule)
  }
  t.notOk((await rules([])).includes('ambiguous-issuer'))
  t.ok((await rules(['--issuer', 'app', '--issuer', 'web'])).includes('ambiguous-issuer'))
  t.ok((await rules([], { JWT_ISSUERS_FILE: `${directory}/issuers` })).includes('ambiguous-issuer'))
})

t.test('the linter knows from the provider that a claim is no folder', async (t) => {
  const file = (more = '') =>
    `- {name: app, provider: github-actions, audience: a${more}}\n- {name: web, provider: nobody}\n`
  const directory = t.testdir({
    'mine.yaml': templateText({ allow: { issuer: 'app' } }),
    known: file(),
    other: file(', subject: repository_id'),
    unknown: '- {name: app}\n- {name: web}\n',
  })
  const rules = async (issuers: string) => {
    const { out } = await run(['policies', 'lint', directory, '--json'], {
      env: { JWT_ISSUERS_FILE: `${directory}/${issuers}` },
    })
    return JSON.parse(out).findings.map(({ rule }: { rule: string }) => rule)
  }
  t.ok((await rules('known')).includes('unsafe-claim'))
  t.notOk((await rules('other')).includes('unsafe-claim'))
  t.notOk((await rules('unknown')).includes('unsafe-claim'))
})

t.test('targets come from an option or the environment, and their keys are never read', async (t) => {
  const target = (name: string, account: string) =>
    `- {name: ${name}, account: "${account}", role: test-role, bucket: ${name}-bucket, region: cn-north-1, accessKeyFile: /nowhere, secretKey: SENTINEL}\n`
  const directory = t.testdir({
    policies: {
      'mine.yaml': templateText({
        target: { from: 'jwt:tenant', map: { a: 'acme', b: 'beta' } },
        examples: [
          { caller: { sub: 'alice', tenant: 'b' }, can: ['PutObject users/alice/1'], cannot: ['GetObject x'] },
        ],
      }),
    },
    targets: target('acme', '111111111111') + target('beta', '222222222222'),
    wrong: target('acme', 'SENTINEL'),
  })
  const targets = ['--targets', `${directory}/targets`]
  const dir = `${directory}/policies`
  const named = ['mine', '--dir', dir, '--claim', 'sub=alice']
  t.equal((await run(['policies', 'lint', dir, ...targets])).exitCode, 0)
  t.match((await run(['policies', 'lint', dir])).out, /unknown-target/u, 'without the file there are none')
  t.match((await run(['policies', 'test', dir], { env: { TARGETS_FILE: `${directory}/targets` } })).out, '2 passed')
  const rendered = await run(['policies', 'render', ...named, '--claim', 'tenant=b', ...targets])
  t.match(rendered.out, 'jrn:oss:*:222222222222:beta-bucket/users/alice/*')
  const explained = await run(['policies', 'explain', ...named, '--claim', 'tenant=a', ...targets])
  t.match(explained.out, 'at target acme')
  const refused = await run(['policies', 'explain', ...named, '--claim', 'tenant=c', ...targets])
  t.match(refused, { exitCode: 1, out: /claim "tenant" leads to no storage/u })
  const wrong = await run(['policies', 'lint', dir, '--targets', `${directory}/wrong`])
  t.match(wrong, { exitCode: 2, err: /^TARGETS_FILE\[0\]\.account: must be the account number, digits only/u })
  t.notMatch(wrong.err, /SENTINEL/u)
})

t.test('with --json failures are JSON too, and a subject of digits stays a text', async (t) => {
  const refused = await run(['policies', 'render', 'user-upload', '--claim', 'sub=alice', '--json'])
  t.strictSame(
    [refused.exitCode, JSON.parse(refused.out)],
    [1, { error: 'policy_not_allowed: claim "scope" is missing' }],
  )
  const digits = await run([
    'policies',
    'render',
    'user-upload',
    '--claim',
    'sub=12345678901234567890',
    '--claim',
    'scope=oss.upload',
  ])
  t.match(digits.out, '/users/12345678901234567890/*')
  const flags = await run(['policies', 'explain', 'user-upload', ...ALICE, '--claim', 'a=true', '--claim', 'b="true"'])
  t.match(flags.out, 'a=true b="true" of issuer app')
})

t.test('serve runs the service, like no command at all', async (t) => {
  t.match(await run(['serve']), { exitCode: 0, served: true })
})

t.test('text from a file cannot move the cursor or forge a line', async (t) => {
  const text = LEAKING.replace('description: d', 'description: d\n"x\\e]0;title\\a\\nforged": 1')
  for (const command of ['lint', 'test']) {
    const { out, err } = await run(['policies', command, t.testdir({ 'a\u001b[2J.yaml': text, 'b.yaml': text })])
    t.notMatch((out + err).replaceAll('\n', ''), /\p{Cc}/u, command)
    t.notMatch(out, /^forged/mu)
  }
})

t.test('a reader that closes the pipe early causes no error', async (t) => {
  const tsx = import.meta.resolve('tsx')
  const main = new URL('../../src/main.ts', import.meta.url).pathname
  const command = `"${process.execPath}" --import="${tsx}" "${main}" policies schema | head -n 1; echo "\${PIPESTATUS[0]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', command], {
    encoding: 'utf8',
    cwd: t.testdir({}),
    env: process.env,
  })
  t.strictSame([stdout, stderr], ['{\n0\n', ''])
})

t.test('the commands run as a process', async (t) => {
  const tsx = import.meta.resolve('tsx')
  const main = new URL('../../src/main.ts', import.meta.url).pathname
  const oss = (...args: string[]) =>
    spawnSync(process.execPath, [`--import=${tsx}`, main, ...args], { encoding: 'utf8', cwd: t.testdir({}), env: {} })
  t.match(oss('policies', 'lint'), { status: 0, stdout: /✓ 4 templates in .*, 0 errors/u, stderr: '' })
  t.match(oss('policies', 'lint', '/nowhere'), { status: 1, stdout: /is not a readable directory/u })
  t.match(oss('bogus'), { status: 2, stdout: '', stderr: /unknown command/u })
  t.match(oss(), { status: 78, stdout: '', stderr: /JWT_ISSUER/u })
})
