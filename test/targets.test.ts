import { rename, writeFile } from 'node:fs/promises'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { startSandbox } from '../sandbox/index.ts'
import { SANDBOX_KEYS } from '../sandbox/world.ts'
import { build } from './helpers/build.ts'
import { NO_SINGLE_TARGET } from './helpers/targets.ts'
import { templateText } from './helpers/templates.ts'
import { manualTimers } from './helpers/timers.ts'
import { claims, mint } from './helpers/tokens.ts'
import { until } from './helpers/until.ts'
import { metric } from './helpers/vending.ts'

const MAP = { 'acme-inc': 'acme', 'beta-ltd': 'beta' }
const EXAMPLE = { can: ['PutObject users/alice/1'], cannot: ['PutObject users/bob/1'] }
const POLICIES = {
  'acme.yaml': templateText({ target: 'acme', examples: [{ caller: { sub: 'alice' }, ...EXAMPLE }] }),
  'beta.yaml': templateText({ target: 'beta', examples: [{ caller: { sub: 'alice' }, ...EXAMPLE }] }),
  'by-claim.yaml': templateText({
    target: { from: 'jwt:tenant', map: MAP },
    examples: Object.keys(MAP).map((tenant) => ({ caller: { sub: 'alice', tenant }, ...EXAMPLE })),
  }),
  'by-param.yaml': templateText({
    target: { from: 'param:tenant', map: MAP },
    params: { tenant: {} },
    examples: [{ caller: { sub: 'alice' }, params: { tenant: 'acme-inc' }, ...EXAMPLE }],
  }),
}

/** The service with two accounts, each a sandbox of its own. */
async function start(
  t: Test,
  env: Record<string, string> = {},
  { manualClock = false, betaSecret }: Readonly<{ manualClock?: boolean; betaSecret?: string }> = {},
) {
  const acme = await startSandbox()
  const beta = await startSandbox({ scenario: { accountId: '222222222222', bucket: 'beta-bucket' } })
  for (const sandbox of [acme, beta]) t.teardown(() => sandbox.close())
  const { accessKey, secretKey } = SANDBOX_KEYS.testIam
  const target = (name: string, { world, sts, oss }: typeof acme) => ({
    name,
    account: world.accountId,
    role: 'test-role',
    bucket: world.buckets[0],
    region: world.region,
    endpoint: oss.url,
    stsEndpoint: sts.url,
    accessKeyFile: `${name}-ak`,
    secretKeyFile: `${name}-sk`,
  })
  const dir = t.testdir({
    'targets.yaml': JSON.stringify([target('acme', acme), target('beta', beta)]),
    'acme-ak': accessKey,
    'acme-sk': secretKey,
    'beta-ak': accessKey,
    'beta-sk': betaSecret ?? secretKey,
    policies: POLICIES,
  })
  const files = { TARGETS_FILE: `${dir}/targets.yaml`, POLICIES_DIR: `${dir}/policies`, OPS_PORT: '0' }
  const metrics = new Registry()
  const timers = manualTimers()
  const built = await build(t, {
    env: { ...NO_SINGLE_TARGET, ...files, ...env },
    realSts: true,
    dependencies: { metrics, ...(manualClock && { clock: timers.clock }) },
  })
  await built.app.ready()
  const headersOf = (more: Record<string, unknown>) => ({
    authorization: `Bearer ${mint(claims({ sub: 'alice', ...more }))}`,
  })
  const post = (url: string, payload: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    built.app.inject({ method: 'POST', url, headers: headersOf(more), payload })
  const vend = (policy: string, more = {}, params?: Record<string, string>) =>
    post('/v1/credentials', { policy, ...(params && { params }) }, more)
  const list = (more = {}) => built.app.inject({ url: '/v1/policies', headers: headersOf(more) })
  return { ...built, acme, beta, dir, metrics, timers, post, vend, list }
}

t.test('each target has its own account, role, bucket and address', async (t) => {
  const { acme, beta, vend } = await start(t)
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
  const { acme, beta, post } = await start(t)
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
  const { acme, beta, vend, list, post, logs } = await start(t)
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
  const { list, post } = await start(t)
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

t.test('a silent STS leaves the other target alone', async (t) => {
  const { acme, vend, metrics } = await start(t, { STS_TIMEOUT_MS: '1500', STS_CONNECTIONS: '2' })
  acme.sts.faults.set({ kind: 'hang' })
  let answered = 0
  const waiting = Array.from({ length: 12 }, async (_, i) => {
    const { statusCode } = await vend('acme', { sub: `caller-${i}` })
    answered++
    return statusCode
  })
  await until(async () => (await metric(metrics, 'oss_vend_sts_queue_length', { target: 'acme' })) > 0)
  for (let i = 0; i < 12; i++) t.equal((await vend('beta', { sub: `caller-${i}` })).statusCode, 200)
  t.equal(answered, 0, 'nobody at the silent one has an answer yet')
  for (const status of await Promise.all(waiting)) t.ok(status === 503 || status === 504, `${status}`)
  t.ok((await metric(metrics, 'oss_vend_sts_calls_total', { target: 'acme', outcome: 'upstream_timeout' })) > 0)
  t.equal(await metric(metrics, 'oss_vend_sts_calls_total', { target: 'acme', outcome: 'ok' }), 0)
  t.equal(await metric(metrics, 'oss_vend_sts_calls_total', { target: 'beta', outcome: 'ok' }), 12)
  t.equal(await metric(metrics, 'oss_vend_sts_breaker_state', { target: 'beta', state: 'closed' }), 1)
  t.equal((await vend('beta', { sub: 'one-more' })).statusCode, 200)
  acme.sts.faults.set(undefined)
})

t.test('the breaker opens for its own target', async (t) => {
  const { acme, vend, metrics } = await start(t)
  acme.sts.faults.set({ kind: 'status', status: 500 })
  for (let i = 0; i < 3; i++) await vend('acme', { sub: `caller-${i}` })
  t.equal(await metric(metrics, 'oss_vend_sts_breaker_state', { target: 'acme', state: 'open' }), 1)
  t.equal(await metric(metrics, 'oss_vend_sts_breaker_state', { target: 'beta', state: 'open' }), 0)
  t.equal((await vend('beta')).statusCode, 200)
  acme.sts.faults.set(undefined)
})

t.test('the keys of one target change, and the other keeps its own', async (t) => {
  const { acme, beta, dir, vend, timers, logs, metrics } = await start(t, {}, { manualClock: true })
  const write = async (content: string) => {
    await writeFile(`${dir}/beta-sk~`, content)
    await rename(`${dir}/beta-sk~`, `${dir}/beta-sk`)
    for (let i = 0; i < 16; i++) await timers.tick(2000)
  }
  const outcomes = (target: string, result: string) =>
    metric(metrics, 'oss_vend_secret_reloads_total', { secret: 'sts_keys', target, result })
  await write('SANDBOX_SECRET_OF_ANOTHER')
  t.equal(await outcomes('beta', 'refused'), 1)
  t.match(
    logs.lines().find(({ secret }) => secret === 'sts_keys'),
    { target: 'beta', result: 'refused' },
  )
  for (const policy of ['acme', 'beta']) t.equal((await vend(policy)).statusCode, 200, policy)
  t.equal(beta.sts.asked.length, 1, 'the refused pair signs for nobody')
  t.strictSame([await outcomes('acme', 'refused'), acme.sts.asked.length], [0, 1], 'and no probe goes to another STS')
})

t.test('a target that starts with a wrong key works once its file has the right one', async (t) => {
  const { dir, vend, timers, metrics } = await start(t, {}, { manualClock: true, betaSecret: 'SANDBOX_OF_ANOTHER' })
  t.equal((await vend('beta')).statusCode, 502)
  t.equal((await vend('acme')).statusCode, 200)
  await writeFile(`${dir}/beta-sk`, SANDBOX_KEYS.testIam.secretKey)
  for (let i = 0; i < 16; i++) await timers.tick(2000)
  t.equal(await metric(metrics, 'oss_vend_secret_reloads_total', { target: 'beta', result: 'taken' }), 1)
  t.equal(await metric(metrics, 'oss_vend_secret_reloads_total', { target: 'acme' }), 0)
  t.equal((await vend('beta', { sub: 'bob' })).statusCode, 200)
})

t.test('a changed template that names no known target is refused, and the old one stays', async (t) => {
  const { dir, vend, reload, logs } = await start(t)
  await writeFile(`${dir}/policies/acme.yaml`, templateText({ target: 'gamma' }))
  await reload()
  const refused = logs.lines().find(({ msg }) => msg === 'policies refused, the old ones stay')
  t.match(refused?.findings, [/no target is called gamma/u])
  t.equal((await vend('acme')).json().oss.bucket, 'test-app')
})

t.test('the operator sees each target', async (t) => {
  const { ops, vend, logs } = await start(t)
  await vend('acme')
  await vend('beta')
  const ready = (await ops?.inject('/readyz'))?.json()
  t.strictSame(Object.keys(ready.sts).sort(), ['acme', 'beta'])
  t.match(
    logs.lines().filter(({ msg }) => msg === 'vended'),
    [{ target: 'acme' }, { target: 'beta' }],
  )
})
