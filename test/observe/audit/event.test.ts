import { createHash } from 'node:crypto'
import t from 'tap'
import { isShared } from '../../../src/observe/audit/event.ts'
import { build, SENTINELS } from '../../helpers/build.ts'
import { claims, mint } from '../../helpers/tokens.ts'
import { ALL } from '../../presigned/harness.ts'

const SUBJECT_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => 11 * i ** 2 + i)).toString('base64')
const hidden = { AUDIT_SUBJECT: 'hmac', AUDIT_SUBJECT_KEY: SUBJECT_KEY }
const tokenOf = (sub: string) => mint(claims({ ...ALL, sub }))
const post = (url: string, payload: unknown, sub = 'alice', headers: Record<string, string> = {}) => ({
  method: 'POST' as const,
  url,
  headers: { authorization: `Bearer ${tokenOf(sub)}`, 'content-type': 'application/json', ...headers },
  payload: JSON.stringify(payload),
})

t.test('an issued event tells who was given what, by which session, until when', async (t) => {
  const { app, audit } = await build(t)
  const ask = post('/v1/credentials', { policy: 'album-upload', params: { album: 'trip' } }, 'alice', {
    'user-agent': 'app/1.0',
    'x-request-id': 'r-1',
  })
  const answer = (await app.inject(ask)).json()
  await app.inject(ask)
  const [first, second] = audit.decisions()
  t.strictSame(first, {
    outcome: 'issued',
    requestId: 'r-1',
    route: '/v1/credentials',
    address: '127.0.0.1',
    userAgent: 'app/1.0',
    tokenSha256: createHash('sha256').update(tokenOf('alice')).digest('hex'),
    issuer: 'app',
    subject: 'alice',
    policy: 'album-upload',
    target: 'default',
    params: { album: 'trip' },
    actions: answer.grant.actions,
    resources: answer.grant.resources,
    sessionName: answer.grant.roleSessionName,
    accessKeyId: SENTINELS.accessKey,
    expiration: answer.credentials.expiration,
    from: 'sts',
  })
  t.match(second, { from: 'cache', sessionName: answer.grant.roleSessionName })
})

t.test('an event of URLs or forms names the shared session, the caller, and every key', async (t) => {
  const { app, audit } = await build(t)
  const keys = Array.from({ length: 100 }, (_, i) => `users/alice/${'x'.repeat(900)}${i}`)
  await app.inject(post('/v1/presigned-urls', { policy: 'user-upload', operation: 'PutObject', keys }))
  await app.inject(post('/v1/presigned-urls', { policy: 'user-files', operation: 'GetObject', key: 'users/alice/a' }))
  const form = { policy: 'user-upload', keyPrefix: 'users/alice/', maxBytes: 9, contentTypes: ['a/b', 'a/c'] }
  await app.inject(post('/v1/presigned-posts', form))
  t.match(audit.decisions(), [
    { subject: 'alice', sessionName: 'user-upload.signed-writes', operation: 'PutObject', keys, signatures: 100 },
    { sessionName: 'user-files.signed-reads', operation: 'GetObject', keys: ['users/alice/a'], signatures: 1 },
    { sessionName: 'user-upload.signed-writes', operation: 'PostObject', keyPrefix: 'users/alice/', signatures: 2 },
  ])
  for (const data of audit.decisions()) {
    if (data.outcome === 'issued') t.equal(isShared(data.sessionName), true, data.sessionName)
  }
})

t.test('a caller is named only once its token is good, and then also when it is refused', async (t) => {
  const { app, audit } = await build(t)
  const other = mint(claims({ sub: 'mallory' }), {}, 'another-secret-of-more-than-thirty-two-bytes-0123456789')
  await app.inject(post('/v1/credentials', { policy: 'user-upload' }, 'x', { authorization: `Bearer ${other}` }))
  await app.inject(post('/v1/credentials', { policy: 'nope' }))
  t.match(audit.decisions()[0], { code: 'unauthenticated', reason: 'signature' })
  t.strictSame(Object.keys(audit.decisions()[0] ?? {}).toSorted(), [
    'address',
    'code',
    'outcome',
    'reason',
    'requestId',
    'route',
    'tokenSha256',
    'userAgent',
  ])
  t.match(audit.decisions()[1], { code: 'policy_not_found', issuer: 'app', subject: 'alice', policy: 'nope' })
})

t.test('a refused request tells parameters and keys only if they were checked, and then a few', async (t) => {
  const { app, audit } = await build(t)
  const keys = Array.from({ length: 30 }, (_, i) => `users/bob/${'x'.repeat(500)}${i}`)
  await app.inject(post('/v1/credentials', { policy: 'album-upload', params: { album: 'No!', password: 'hunter2' } }))
  await app.inject(post('/v1/presigned-urls', { policy: 'user-files', operation: 'GetObject', keys: ['/hunter2'] }))
  await app.inject(post('/v1/presigned-urls', { policy: 'user-files', operation: 'GetObject', keys }))
  const token = tokenOf('bob')
  await app.inject(post('/v1/presigned-urls', { policy: 'user-files', operation: 'GetObject', key: `a/${token}` }))
  const [params, key, many, misplaced] = audit.decisions()
  t.match(params, { code: 'invalid_request', policy: 'album-upload', params: undefined })
  t.match(key, { code: 'invalid_request', policy: 'user-files', keys: undefined })
  t.notMatch(audit.text(), /hunter2/u)
  t.match(many, { code: 'key_not_allowed', cut: true })
  t.equal(many?.keys?.length, 16)
  t.match(many?.keys?.[0], /^users\/bob\/x{245}…$/u)
  t.match(misplaced, { code: 'key_not_allowed', keys: ['a/(a token)'], cut: true })
})

t.test('hostile text of a client stays in its line, is bounded, and has no token', async (t) => {
  const { app, audit } = await build(t, { env: { TRUST_PROXY: '1' } })
  const evil = 'a\u0085"}\\ '
  const headers = {
    'user-agent': `${evil}${tokenOf('x')} ${'u'.repeat(5000)}`,
    'x-forwarded-for': `${evil}${'f'.repeat(500)}`,
    'x-request-id': tokenOf('x').slice(0, 120),
  }
  await app.inject(post('/v1/credentials', { policy: 'user-upload' }, 'alice', headers))
  const [line = ''] = audit.lines().filter((text) => text.includes('decision'))
  t.notMatch(line, /[\p{Cc}\p{Cf}\u2028]/u)
  t.ok(line.length < 2000, `${line.length} characters`)
  t.match(audit.decisions(), [
    { outcome: 'issued', userAgent: /^a\u0085"\}\\ \(a token\) u+…$/u, address: /^a.{1,62}…$/u },
  ])
  t.notMatch(line, /eyJ/u)
})

t.test('with AUDIT_SUBJECT=hmac, an id that a client chose betrays nobody whose token is not good', async (t) => {
  const { app, audit } = await build(t, { env: hidden })
  const named = { 'x-request-id': 'for-alice-1' }
  const expired = `Bearer ${mint(claims({ ...ALL, sub: 'alice', exp: 1 }))}`
  await app.inject(post('/v1/credentials', { policy: 'user-upload' }, 'alice', { ...named, authorization: expired }))
  const form = { 'content-type': 'application/x-www-form-urlencoded', ...named }
  await app.inject({ method: 'POST', url: '/v1/aws/sts', headers: form, payload: 'Action=GetCallerIdentity' })
  await app.inject(post('/v1/credentials', {}, 'alice', { authorization: expired }))
  await app.inject(post('/v1/credentials', { policy: 'user-upload' }, 'bob', named))
  const [first, second, own, good] = audit.decisions()
  t.match(first, { code: 'unauthenticated', requestId: /^hmac:/u })
  t.match(second, { code: 'invalid_request', requestId: first?.requestId }, 'the same id stays the same')
  t.match(own?.requestId, /^[\da-f-]{36}$/u, "the service's own id stays, for the log")
  t.match(good, { outcome: 'issued', requestId: 'for-alice-1' }, 'and so does one without the subject of its caller')
})

t.test('with AUDIT_SUBJECT=hmac, no field betrays who the subject is', async (t) => {
  const { app, audit } = await build(t, { env: hidden })
  const sub = 'Zaphod.Beeblebrox'
  const named = (more: Record<string, string> = {}) => ({ 'user-agent': `app (user ${sub})`, ...more })
  await app.inject(
    post('/v1/credentials', { policy: 'user-upload' }, sub, named({ 'x-request-id': `for-${sub.toLowerCase()}-1` })),
  )
  await app.inject(post('/v1/credentials', { policy: 'album-upload', params: { album: 'beeblebrox' } }, sub, named()))
  await app.inject(
    post('/v1/presigned-urls', { policy: 'user-files', operation: 'GetObject', key: `users/${sub}/a` }, sub, named()),
  )
  await app.inject(
    post('/v1/presigned-posts', { policy: 'user-upload', keyPrefix: `users/${sub}/`, maxBytes: 1 }, sub, named()),
  )
  await app.inject(post('/v1/credentials', { policy: 'zaphod' }, sub, named()))
  await app.inject(
    post('/v1/presigned-urls', { policy: 'user-files', operation: 'GetObject', key: `users/${sub}2/a` }, sub, named()),
  )
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: 'arn:aws:iam::000000000000:role/user-upload',
    RoleSessionName: 'zaphods-laptop',
    WebIdentityToken: tokenOf(sub),
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...named() }
  await app.inject({ method: 'POST', url: '/v1/aws/sts', headers, payload: form.toString() })
  t.equal(audit.decisions().length, 7)
  t.notMatch(audit.text(), /zaphod|beeblebrox/iu)
  t.match(audit.decisions()[0], {
    subject: /^hmac:[\w-]{27}$/u,
    sessionName: /^hmac:/u,
    resources: [/^hmac:/u],
    userAgent: /^hmac:/u,
    requestId: /^hmac:/u,
    policy: 'user-upload',
    actions: ['oss:PutObject', 'oss:AbortMultipartUpload'],
  })
  t.match(audit.decisions()[2], { keys: [/^hmac:/u], sessionName: 'user-files.signed-reads' }, 'many share this name')
  t.match(audit.decisions()[1]?.requestId, /^[\da-f-]{36}$/u, "the service's own id stays, for the log")
  t.equal(new Set(audit.decisions().map(({ subject }) => subject)).size, 1, 'one person has one pseudonym')
})

t.test('pseudonyms depend on key and issuer, and are the same on every replica', async (t) => {
  const subjectFor = async (key: string) => {
    const { app, audit } = await build(t, { env: { ...hidden, AUDIT_SUBJECT_KEY: key } })
    await app.inject(post('/v1/credentials', { policy: 'user-upload' }))
    return audit.decisions()[0]?.subject
  }
  const other = Buffer.from(SUBJECT_KEY, 'base64').reverse().toString('base64')
  const first = await subjectFor(SUBJECT_KEY)
  t.equal(await subjectFor(`${SUBJECT_KEY},${other}`), first, 'of several keys the first one writes')
  t.not(await subjectFor(other), first)
})
