import t from 'tap'
import { doctorCommand } from '../../../src/cli/doctor/doctor-command.ts'
import { showReport } from '../../../src/cli/doctor/report.ts'
import { createPaint } from '../../../src/cli/io.ts'
import { capturedIo } from '../../helpers/captured-io.ts'
import { run } from '../../helpers/cli.ts'
import { listen } from '../../helpers/listen.ts'
import { NO_SINGLE_TARGET } from '../../helpers/targets.ts'
import { templateText } from '../../helpers/templates.ts'
import { diagnose, doctor, soundCloud } from './harness.ts'

const everythingIn = ({ oss }: Awaited<ReturnType<typeof soundCloud>>['sandbox']) =>
  [...oss.store.values()].flatMap((bucket) => bucket.keys())

t.test('where nothing is wrong, all is green', async (t) => {
  const { env } = await soundCloud(t)
  const { exitCode, lines, named, report, err } = await diagnose(env)
  t.equal(exitCode, 0)
  t.strictSame(named('failed'), [])
  t.strictSame(named('not_checked'), [
    'redis',
    'probe album-upload',
    'probe shared-download',
    'probe user-files',
    'probe user-upload',
    'aws-chunked',
  ])
  t.equal(report.passed + report.failed + report.notChecked, lines.length)
  t.equal(err, '', 'nothing but the report is printed where nobody looks at a terminal')
})

t.test('without --probe, nothing is asked of OSS but questions', async (t) => {
  const { sandbox, env } = await soundCloud(t)
  const writes: string[] = []
  for (const bucket of sandbox.oss.store.values()) {
    const { put, delete: remove } = bucket
    Object.assign(bucket, {
      put: (...args: Parameters<typeof put>) => {
        writes.push(`put ${args[0]}`)
        return put(...args)
      },
      delete: (key: string) => {
        writes.push(`delete ${key}`)
        remove(key)
      },
    })
  }
  await diagnose(env)
  t.strictSame(writes, [])
  await diagnose(env, { probe: true })
  t.ok(writes.length > 0, 'and with it, these are seen')
})

t.test('--probe tries every template with a real session, and cleans up', async (t) => {
  const { sandbox, env } = await soundCloud(t)
  const bucket = sandbox.oss.store.get('test-app')
  bucket?.put('users/alice/notes.txt', Buffer.from('mine'))
  const { exitCode, lines, named } = await diagnose(env, { probe: true })
  t.equal(exitCode, 0)
  t.strictSame(named('not_checked'), ['redis'])
  const messages = Object.fromEntries(lines.map(({ name, message }) => [name, message]))
  t.match(messages, {
    'probe album-upload': 'writes, aborts uploads in users/alice/albums/trip/; writes nothing beside it',
    'probe shared-download': 'reads in public/; reads nothing beside it',
    'probe user-files': 'writes, lists parts, aborts uploads, reads, deletes in users/alice/; writes nothing beside it',
    'aws-chunked': /refuses framed bodies \(NotImplemented\)/u,
  })
  t.strictSame(everythingIn(sandbox), ['users/alice/notes.txt'], 'what was there before is untouched')
  t.equal(String(bucket?.get('users/alice/notes.txt')?.body), 'mine')
})

t.test('sessions of the doctor are named after it, and after nobody else', async (t) => {
  const { sandbox, env } = await soundCloud(t)
  await diagnose(env, { probe: true })
  const names = [...new Set(sandbox.sts.asked.map(({ roleSessionName }) => roleSessionName))]
  t.strictSame(
    names.filter((name) => !/^oss-vend-(?:doctor|key-probe)$|^[a-z-]+\.oss-vend-doctor$/u.test(name)),
    [],
  )
  t.ok(
    sandbox.sts.asked.every(({ policy }) => policy !== undefined),
    'and none is without a session policy',
  )
})

t.test('what the role cannot delete is told, and is one object however often the doctor comes', async (t) => {
  const Resource = ['jrn:oss:*:111111111111:test-app/*']
  const rolePolicies = [
    { Version: '3' as const, Statement: [{ Effect: 'Allow' as const, Action: ['oss:PutObject'], Resource }] },
  ]
  const { sandbox, env } = await soundCloud(t, { rolePolicies })
  const examples = [{ caller: { sub: 'alice' }, can: ['PutObject users/alice/1.jpg'], cannot: [] }]
  const mine = { POLICIES_DIR: t.testdir({ 'mine.yaml': templateText({ examples }) }) }
  for (const _ of [1, 2]) {
    const { exitCode, lines } = await diagnose({ ...env, ...mine }, { probe: true })
    t.equal(exitCode, 0)
    const probe = lines.find(({ name }) => name === 'probe mine')
    t.match(probe?.message, /left behind, because the role may not delete it: users\/alice\/\S+$/u)
    t.match(
      lines.find(({ name }) => name === 'aws-chunked'),
      { status: 'not_checked' },
    )
  }
  t.equal(everythingIn(sandbox).length, 1)
})

t.test('a store that ignores session policies is a cross', async (t) => {
  const { sandbox, env } = await soundCloud(t)
  const [role] = sandbox.world.roles.values()
  if (!role) throw new Error('there is no role')
  const expiration = new Date(Date.now() + 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
  const JDCLOUD_STS_ENDPOINT = await listen(t, (_request, response) => {
    const session = sandbox.world.sessions.issue({ role, sessionName: 'x', policy: undefined }, 3600)
    const { accessKey, secretKey, sessionToken } = session
    response.end(JSON.stringify({ result: { credentials: { accessKey, secretKey, sessionToken, expiration } } }))
  })
  const { exitCode, lines } = await diagnose({ ...env, JDCLOUD_STS_ENDPOINT }, { probe: true })
  t.equal(exitCode, 1)
  const crosses = lines.filter(({ status }) => status === 'failed')
  t.equal(crosses.length, 4, 'one for each template')
  for (const { message, remedy } of crosses) {
    t.match(message, /can (?:write|read) \S+, which its policy does not open/u)
    t.match(remedy, /do not go live/u)
  }
  t.strictSame(everythingIn(sandbox), [])
})

t.test('each target of TARGETS_FILE is checked', async (t) => {
  const acme = await soundCloud(t)
  const beta = await soundCloud(t, { accountId: '222222222222', bucket: 'beta-bucket', trusts: [] })
  const entry = (name: string, { env }: typeof acme) => ({
    name,
    account: env.JDCLOUD_ACCOUNT_ID,
    role: 'test-role',
    bucket: name === 'acme' ? 'test-app' : 'beta-bucket',
    region: 'cn-north-1',
    endpoint: env.OSS_ENDPOINT,
    stsEndpoint: env.JDCLOUD_STS_ENDPOINT,
    accessKey: env.JDCLOUD_ACCESS_KEY,
    secretKey: env.JDCLOUD_SECRET_KEY,
  })
  const example = { caller: { sub: 'alice' }, can: ['PutObject users/alice/1'], cannot: ['PutObject users/bob/1'] }
  const dir = t.testdir({
    'targets.json': JSON.stringify([entry('acme', acme), entry('beta', beta)]),
    policies: {
      'for-acme.yaml': templateText({ target: 'acme', examples: [example] }),
      'for-beta.yaml': templateText({ target: 'beta', examples: [example] }),
    },
  })
  const files = { TARGETS_FILE: `${dir}/targets.json`, POLICIES_DIR: `${dir}/policies` }
  const { exitCode, lines } = await diagnose({ ...acme.env, ...NO_SINGLE_TARGET, ...files })
  t.equal(exitCode, 1)
  const of = (group: string) => lines.filter((line) => line.group === group)
  t.strictSame([...new Set(lines.map(({ group }) => group))], ['Service', 'Target acme', 'Target beta'])
  t.ok(of('Target acme').every(({ status }) => status !== 'failed'))
  t.match(
    of('Target acme').find(({ name }) => name === 'template for-acme'),
    { status: 'passed' },
  )
  t.match(
    of('Target beta').find(({ name }) => name === 'role'),
    {
      status: 'failed',
      settings: ['role of beta in TARGETS_FILE'],
    },
  )
  t.match(
    of('Target beta').find(({ name }) => name === 'template for-beta'),
    { status: 'not_checked' },
  )
  t.notOk(of('Target beta').some(({ name }) => name.includes('for-acme')))
})

t.test('faults of the configuration are crosses, and nothing else is checked', async (t) => {
  const { env } = await soundCloud(t)
  const changes = { JDCLOUD_SECRET_KEY: '', OSS_REGION: 'moon', STS_TIMEOUT_MS: 'soon' }
  const { exitCode, lines } = await diagnose({ ...env, ...changes })
  t.equal(exitCode, 78)
  t.strictSame(
    lines.filter(({ status }) => status === 'failed').map(({ settings }) => settings?.[0]),
    ['STS_TIMEOUT_MS', 'JDCLOUD_SECRET_KEY', 'OSS_REGION'],
  )
  t.ok(lines.every(({ status, remedy }) => (status === 'failed') === (remedy !== undefined)))
  t.notOk(lines.some(({ status }) => status === 'passed'))
  const text = await doctor({ ...env, ...changes })
  t.match(text.out, /✗ configuration {2}JDCLOUD_SECRET_KEY is required.*\n {4}→ copy it when/u)
  t.match(text.out, /– targets {8}not checked/u)
})

t.test('a terminal shows progress, and the report is coloured', async (t) => {
  const { env } = await soundCloud(t)
  const { io, printed } = capturedIo(env, '', true)
  t.equal(await doctorCommand(io, {}, { sandbox: true }), 0)
  t.match(printed.err, /\r0 of 21 checks/u)
  t.ok(printed.err.endsWith('\r\u001b[K'), 'and takes it away at the end')
  t.ok(printed.out.includes(createPaint(true).green('✓')))
})

t.test('the command line has it', async (t) => {
  const help = await run(['doctor', '--help'])
  t.equal(help.exitCode, 0)
  t.match(help.out, /--probe/u)
  t.match(help.out, /Exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage, 78/u)
  t.equal((await run(['doctor', '--prob'])).exitCode, 2)
  t.equal((await run(['doctor'])).exitCode, 78, 'without any variable')
})

t.test('what a server wrote cannot command a terminal', async (t) => {
  const line = { group: 'g', name: 'n', status: 'failed' as const, message: '\u001b[2J\u202e', remedy: '\u0007' }
  t.notMatch(showReport([line], createPaint(false)), /[^\P{Cc}\n]|\u202e/u)
})
