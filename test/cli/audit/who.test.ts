import t from 'tap'
import { readSessionName } from '../../../src/cli/audit/names.ts'
import { sessionName } from '../../../src/policy/grant/session-name.ts'
import { DOCTOR_SESSION, doctorSession } from '../../../src/sts/own-sessions.ts'
import { probeRequest } from '../../../src/sts/probe.ts'
import { build } from '../../helpers/build.ts'
import { run } from '../../helpers/cli.ts'
import { claims, mint } from '../../helpers/tokens.ts'
import { countingSource } from '../../helpers/vending.ts'
import { ALL } from '../../presigned/harness.ts'

const SUBJECT_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => 17 * i ** 2 + i)).toString('base64')
const HASHED = sessionName('user-upload', { issuer: 'app', subject: 'auth0|8472' }, false)

/** A file of events: alice and auth0|8472 have credentials, and each has a URL at an hour of its own. */
async function events(env: Record<string, string> = {}) {
  const time = { now: Date.UTC(2030, 0, 1, 8) }
  const { source } = countingSource(() => time.now)
  const { app, audit } = await build(t, { env, dependencies: { source, now: () => time.now } })
  const post = (url: string, sub: string, payload: Record<string, unknown>) =>
    app.inject({
      method: 'POST',
      url,
      headers: { authorization: `Bearer ${mint(claims({ ...ALL, sub, exp: Date.UTC(2031, 0) / 1000 }))}` },
      payload,
    })
  for (const sub of ['alice', 'auth0|8472']) {
    await post('/v1/credentials', sub, { policy: 'user-upload' })
    await post('/v1/presigned-urls', sub, { policy: 'user-upload', operation: 'PutObject', key: `users/${sub}/a` })
    time.now += 3_600_000
  }
  await post('/v1/presigned-posts', 'carol', { policy: 'user-upload', keyPrefix: 'users/carol/', maxBytes: 9 })
  await app.close()
  return `${t.testdir({ 'audit.log': `log line\n${audit.text()}\n{"cut` })}/audit.log`
}

const who = async (args: readonly string[], env: Record<string, string> = {}) => {
  const { exitCode, out, err } = await run(['audit', 'who', '--json', ...args], { env })
  const { found = [], computed = [] } = exitCode === 2 ? {} : JSON.parse(out)
  return { exitCode, err, computed, found, subjects: found.map(({ subject }: { subject: string }) => subject) }
}

t.test('sessions of one caller', async (t) => {
  const file = await events()
  t.match(await who(['--session', 'user-upload@alice', file]), {
    exitCode: 0,
    found: [{ issuer: 'app', subject: 'alice', events: 1, policies: ['user-upload'], addresses: ['127.0.0.1'] }],
    computed: [{ issuer: 'app', subject: 'alice' }],
  })
  t.match(await who(['--session', HASHED, file]), { exitCode: 0, subjects: ['auth0|8472'], computed: [] })
  t.match(await who(['--session', 'user-upload@nobody', file]), { exitCode: 0, subjects: [] }, 'the name says it')
  const named = await run(['audit', 'who', '--session', 'user-upload@nobody', file])
  t.match(named.out, /The files have no event that fits: they do not show that this service gave the session out\.\n/u)
  t.match(await who(['--session', `user-upload@=${'A'.repeat(27)}`, file]), { exitCode: 1, subjects: [] })
  t.match(await who(['--access-key', 'access-1', file]), { exitCode: 0, subjects: ['alice'] })
})

t.test('a hash is computed for candidates, without any file', async (t) => {
  const dir = t.testdir({ subjects: 'auth0|1\r\nauth0|8472\n\nauth0|3\n' })
  t.match(await who(['--session', HASHED]), { exitCode: 1 })
  t.match(await who(['--session', HASHED, '--subject', 'x', '--subject', 'auth0|8472']), {
    exitCode: 0,
    computed: [{ issuer: 'app', subject: 'auth0|8472' }],
  })
  t.match(await who(['--session', `${HASHED}@@laptop`, '--subjects', `${dir}/subjects`]), {
    exitCode: 0,
    computed: [{}],
  })
  t.match(await who(['--session', HASHED, '--issuer', 'other', '--subject', 'auth0|8472']), { exitCode: 1 })
  t.match(await who(['--session', HASHED, '--subjects', `${dir}/none`]), { exitCode: 2 })
})

t.test('a session that many share is answered by time, and by the key of the object', async (t) => {
  const file = await events()
  const shared = ['--session', 'user-upload.signed-writes']
  t.strictSame((await who([...shared, file])).subjects, ['alice', 'auth0|8472', 'carol'])
  t.strictSame((await who([...shared, '--at', '2030-01-01T09:10:00Z', file])).subjects, ['auth0|8472'])
  t.strictSame((await who([...shared, '--key', 'users/alice/a', file])).subjects, ['alice'])
  t.strictSame((await who([...shared, '--key', 'users/carol/photo', file])).subjects, ['carol'], 'by its form')
  t.match(await who([...shared, '--at', '2030-01-01T09:30:00Z', file]), { exitCode: 1 })
  t.match((await run(['audit', 'who', ...shared])).out, /Give the audit files: only they tell the callers/u)
})

t.test('with hidden subjects the key answers, and without it nothing is found', async (t) => {
  const file = await events({ AUDIT_SUBJECT: 'hmac', AUDIT_SUBJECT_KEY: SUBJECT_KEY })
  const env = { AUDIT_SUBJECT_KEY: SUBJECT_KEY }
  t.match(await who(['--session', 'user-upload@alice', file], env), {
    exitCode: 0,
    found: [{ issuer: 'app', subject: /^hmac:/u, revealed: 'alice', events: 1 }],
  })
  t.match(await who(['--session', HASHED, file], env), {
    exitCode: 0,
    found: [{ subject: /^hmac:/u, revealed: undefined }],
  })
  const candidate = ['--subject', 'auth0|8472']
  t.match(await who(['--session', HASHED, ...candidate, file], env), { found: [{ revealed: 'auth0|8472' }] })
  t.match(await who(['--session', HASHED, file]), { exitCode: 1, found: [] })
  const shared = ['--session', 'user-upload.signed-writes', '--subject', 'carol']
  t.match(await who([...shared, '--key', 'users/carol/photo', file], env), { found: [{ revealed: 'carol' }] })
  t.match(await who([...shared, '--key', 'users/alice/a', file], env), { found: [{ revealed: undefined }] })
})

t.test('several issuers stand in the names', async (t) => {
  const dir = t.testdir({
    'issuers.yaml': JSON.stringify(
      ['app', 'staff'].map((name) => ({ name, issuer: `https://${name}.test`, audience: 'a' })),
    ),
  })
  const env = { JWT_ISSUERS_FILE: `${dir}/issuers.yaml` }
  t.match(await who(['--session', 'user-upload@staff.bob'], env), { computed: [{ issuer: 'staff', subject: 'bob' }] })
  t.match(await who(['--session', 'user-upload@bob'], env), { exitCode: 1 })
})

t.test('names of sessions are read as they are made', async (t) => {
  const rows = [
    { name: 'a.signed-reads', want: { kind: 'shared', template: 'a' } },
    { name: 'a@b.signed-reads', want: { kind: 'readable', readable: 'b.signed-reads' } },
    { name: 'a@b@c', want: { kind: 'readable', readable: 'b@c' } },
    { name: 'a@@b@@c', want: { kind: 'readable', readable: '@b', label: 'c' } },
    { name: 'a@=x@@l', want: { kind: 'hashed', base: 'a@=x', label: 'l' } },
    { name: 'oss-vend-key-probe', want: { kind: 'own', by: 'service' } },
    { name: 'oss-vend-doctor', want: { kind: 'own', by: 'doctor' } },
    { name: 'a.oss-vend-doctor', want: { kind: 'own', by: 'doctor' } },
    { name: 'A.oss-vend-doctor', want: undefined },
    { name: 'a@oss-vend-doctor', want: { kind: 'readable', readable: 'oss-vend-doctor' } },
    { name: 'a', want: undefined },
    { name: 'A@b', want: undefined },
    { name: '@b', want: undefined },
  ]
  for (const { name, want } of rows) t.match(readSessionName(name), want, name)
  for (const subject of ['alice', '@b', 'a@', '=x', 'a@@b', 'auth0|1', 'x'.repeat(99), '@@', '@']) {
    for (const label of [undefined, 'laptop', 'l@@x', '=']) {
      const base = sessionName('tpl', { issuer: 'app', subject }, false)
      const read = readSessionName(sessionName('tpl', { issuer: 'app', subject }, false, label))
      t.match(read, { base, template: 'tpl' }, `${subject} ${label}`)
    }
  }
})

t.test('a session that the service or the doctor took for itself is named as such, and as nobody', async (t) => {
  const rows = [
    {
      name: probeRequest({ account: '1', bucket: 'b', minSessionSeconds: 3600 }).roleSessionName,
      says: /service itself/u,
    },
    { name: DOCTOR_SESSION, says: /doctor/u },
    { name: doctorSession('user-upload'), says: /doctor/u },
  ]
  for (const { name, says } of rows) {
    const { exitCode, out } = await run(['audit', 'who', '--session', name, '--subject', 'oss-vend-doctor'])
    t.equal(exitCode, 1, name)
    t.match(out, says)
    t.notMatch(out, /of issuer/u)
    t.match(await who(['--session', name, await events()]), { exitCode: 1, found: [], computed: [] })
  }
})

t.test('wrong usage', async (t) => {
  const rows = [[], ['--access-key', 'x'], ['--session', 'not a name'], ['--session', 'a@b', '--at', 'noon']]
  for (const args of rows) t.equal((await run(['audit', 'who', ...args])).exitCode, 2, args.join(' '))
  t.equal((await run(['audit', 'who', '--session', 'a@b', '/nowhere'])).exitCode, 2)
})
