import t from 'tap'
import { build } from './helpers/build.ts'
import { entry, targetsFile } from './helpers/targets.ts'
import { claims, mint } from './helpers/tokens.ts'
import { POLICIES, startTwo } from './helpers/two-targets.ts'

t.test('each target has its own account, role, bucket and address', async (t) => {
  const { acme, beta, vend } = await startTwo(t)
  const rows = [
    { policy: 'acme', own: acme, other: beta, bucket: 'test-app' },
    { policy: 'beta', own: beta, other: acme, bucket: 'beta-bucket' },
    { policy: 'by-claim', claims: { tenant: 'acme-inc' }, own: acme, other: beta, bucket: 'test-app' },
    { policy: 'by-claim', claims: { tenant: 'beta-ltd' }, own: beta, other: acme, bucket: 'beta-bucket' },
    { policy: 'by-param', params: { tenant: 'beta-ltd' }, own: beta, other: acme, bucket: 'beta-bucket' },
  ]
  for (const { policy, claims, params, own, other, bucket } of rows) {
    const before = other.sts.asked.length
    const answer = await vend(policy, claims, params)
    t.equal(answer.statusCode, 200, policy)
    const { credentials, oss, grant } = answer.json()
    t.match(oss, { endpoint: own.oss.url, bucket, prefixes: ['users/alice/'] })
    t.strictSame(grant.resources, [`jrn:oss:*:${own.world.accountId}:${bucket}/users/alice/*`])
    t.equal(own.sts.asked.at(-1)?.roleJrn, `jrn:iam::${own.world.accountId}:role/test-role`)
    t.equal(other.sts.asked.length, before, 'the other STS is not asked')
    const { accessKey, sessionToken } = credentials
    t.match(own.world.sessions.lookup(accessKey, sessionToken), { status: 'valid' })
    t.not(other.world.sessions.lookup(accessKey, sessionToken).status, 'valid')
  }
})

t.test('URLs are signed for the bucket of the target, by its own session', async (t) => {
  const { acme, beta, post } = await startTwo(t)
  const ask = { operation: 'PutObject', key: 'users/alice/1' }
  for (const [tenant, own, bucket] of [
    ['acme-inc', acme, 'test-app'],
    ['beta-ltd', beta, 'beta-bucket'],
  ] as const) {
    const answer = await post('/v1/presigned-urls', { policy: 'by-claim', ...ask }, { tenant })
    t.equal(answer.statusCode, 200)
    const { url } = answer.json().urls[0]
    t.ok(url.startsWith(`${own.oss.url}/${bucket}/users/alice/1?`))
    const put = await fetch(url, { method: 'PUT', body: tenant })
    t.equal(put.status, 200, await put.text())
    const elsewhere = url.replace(own.oss.url, (own === acme ? beta : acme).oss.url)
    t.equal((await fetch(elsewhere, { method: 'PUT', body: tenant })).status, 403)
  }
  t.strictSame([acme.sts.asked.length, beta.sts.asked.length], [1, 1])
})

t.test('a value without a target is refused, and no STS is asked', async (t) => {
  const { acme, beta, vend, list, post, logs } = await startTwo(t)
  for (const tenant of ['acme', '__proto__', 'constructor', ['acme-inc'], { 'acme-inc': 1 }, undefined]) {
    const answer = await vend('by-claim', tenant === undefined ? {} : { tenant })
    t.equal(answer.statusCode, 403)
    t.match(answer.json(), { code: 'policy_not_allowed', detail: /^claim "tenant" / })
    t.notMatch(answer.body, /acme-inc|beta-ltd/u, 'accepted values are not told')
    const names = (await list(tenant === undefined ? {} : { tenant })).json().policies.map(({ name = '' }) => name)
    t.notOk(names.includes('by-claim'))
    const explained = await post('/v1/policies/by-claim/explain', {}, tenant === undefined ? {} : { tenant })
    t.match(explained.json(), { granted: false, refusal: { code: 'policy_not_allowed' } })
  }
  const answer = await vend('by-param', {}, { tenant: 'acme' })
  t.match(answer.json(), { code: 'invalid_request', errors: [{ pointer: '/params/tenant' }] })
  t.strictSame([acme.sts.asked.length, beta.sts.asked.length], [0, 0])
  t.notMatch(logs.text(), /the template has no target/u)
})

t.test('the list names the choices of a parameter, and explain the own bucket', async (t) => {
  const { list, post } = await startTwo(t)
  const { policies } = (await list({ tenant: 'beta-ltd' })).json()
  t.strictSame(
    policies.map(({ name = '' }) => name),
    ['acme', 'beta', 'by-claim', 'by-param'],
  )
  t.strictSame(policies.at(-1).params.properties.tenant.enum, ['acme-inc', 'beta-ltd'])
  const question = { operation: 'PutObject', key: 'users/alice/1' }
  const explained = await post('/v1/policies/by-claim/explain', question, { tenant: 'beta-ltd' })
  const resource = 'jrn:oss:cn-north-1:222222222222:beta-bucket/users/alice/1'
  t.match(explained.json(), { granted: true, answer: { resource, allowed: true } })
})

t.test('two targets of one account, role and bucket share no session', async (t) => {
  const same = { bucket: 'test-app' }
  const env = targetsFile(t, [entry('acme', same), entry('beta', same)], { 'by-claim.yaml': POLICIES['by-claim.yaml'] })
  const asked: string[] = []
  const source = (target: string) => ({
    async assumeRole({ durationSeconds = 0 }) {
      asked.push(target)
      return { accessKey: 'a', secretKey: 's', sessionToken: target, expiresAt: Date.now() + durationSeconds * 1000 }
    },
    close: async () => {},
  })
  const { app } = await build(t, { env, dependencies: { source } })
  const grants: unknown[] = []
  for (const tenant of ['acme-inc', 'beta-ltd', 'acme-inc', 'beta-ltd']) {
    const headers = { authorization: `Bearer ${mint(claims({ sub: 'alice', tenant }))}` }
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/credentials',
      headers,
      payload: { policy: 'by-claim' },
    })
    const { credentials, grant } = answer.json()
    t.equal(credentials.sessionToken, tenant.slice(0, 4))
    grants.push(grant)
  }
  t.strictSame(grants.slice(1), grants.slice(0, 3), 'although caller, template and policy are the same')
  t.strictSame(asked, ['acme', 'beta'], 'and each is cached')
})

t.test('the operator sees each target', async (t) => {
  const { ops, vend, logs } = await startTwo(t)
  await vend('acme')
  await vend('beta')
  const ready = (await ops?.inject('/readyz'))?.json()
  t.strictSame(Object.keys(ready.sts).sort(), ['acme', 'beta'])
  t.match(
    logs.lines().filter(({ msg }) => msg === 'vended'),
    [{ target: 'acme' }, { target: 'beta' }],
  )
})
