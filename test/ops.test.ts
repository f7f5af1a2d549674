import { Counter, Registry } from 'prom-client'
import t from 'tap'
import type { Environment } from '../src/config/environment.ts'
import { build, SENTINELS } from './helpers/build.ts'
import { templateText } from './helpers/templates.ts'
import { claims, mint } from './helpers/tokens.ts'
import { until } from './helpers/until.ts'
import { heldSource } from './helpers/vending.ts'

t.test('the ops listener answers probes and metrics, and nothing else', async (t) => {
  const metrics = new Registry()
  new Counter({ name: 'fixture_total', help: 'A fixture.', registers: [metrics] }).inc()
  const { app, ops } = await build(t, {
    env: { OPS_PORT: '0', CORS_ORIGINS: 'https://app.example.test' },
    dependencies: { metrics },
  })
  if (!ops) throw new Error('there is no ops listener')
  const response = await ops.inject({ url: '/metrics' })
  t.equal(response.statusCode, 200)
  t.match(response.headers['content-type'], 'text/plain; version=0.0.4')
  t.match(response.body, 'fixture_total 1')
  for (const url of ['/livez', '/readyz']) t.equal((await ops.inject({ url })).statusCode, 200, url)
  for (const url of ['/v1/policies', '/docs', '/openapi.json'])
    t.equal((await ops.inject({ url })).statusCode, 404, url)
  t.equal((await app.inject({ url: '/metrics' })).statusCode, 404, 'which users cannot see')
})

t.test('it answers while the service drains, and ends with it', async (t) => {
  const { asked, source } = heldSource()
  const { app, ops, stop } = await build(t, { env: { OPS_PORT: '0' }, dependencies: { source } })
  const url = await ops?.listen({ host: '127.0.0.1', port: 0 })
  const vend = fetch(`${await app.listen({ host: '127.0.0.1', port: 0 })}/v1/credentials`, {
    method: 'POST',
    headers: { authorization: `Bearer ${mint(claims())}`, 'content-type': 'application/json' },
    body: '{"policy":"user-upload"}',
  })
  await until(() => asked.length === 1)
  const stopped = stop(0)
  t.equal((await fetch(`${url}/readyz`)).status, 503)
  t.equal((await fetch(`${url}/metrics`)).status, 200)
  asked[0]?.pay({ ...SENTINELS, expiresAt: Date.now() + 3_600_000 })
  t.equal((await vend).status, 200)
  await stopped
  await t.rejects(fetch(`${url}/livez`))
})

t.test('the page tells readiness, the version of the templates and the age of the key', async (t) => {
  const day = 86_400_000
  const now = Date.parse('2026-03-01T12:00:00Z')
  const page = async (env: Environment) => {
    const { ops, stop } = await build(t, {
      env: { OPS_PORT: '0', ...env },
      dependencies: { now: () => now },
      realSts: true,
    })
    const before = (await ops?.inject({ url: '/metrics' }))?.body ?? ''
    const stopped = stop(0)
    const after = (await ops?.inject({ url: '/metrics' }))?.body ?? ''
    await stopped
    return { before, after }
  }
  const text = (description: string) => templateText().replace('"d"', JSON.stringify(description))
  const folder = (description: string) => ({ 'mine.yaml': text(description) })
  const dir = t.testdir({ one: folder('a'), same: folder('a'), other: folder('b') })
  const known = await page({ JDCLOUD_KEY_CREATED: '2026-02-01', POLICIES_DIR: `${dir}/one` })
  t.match(known.before, /^oss_vend_ready 1$/mu)
  t.match(known.after, /^oss_vend_ready 0$/mu)
  t.match(known.before, `oss_vend_sts_key_age_seconds{target="default"} ${(28.5 * day) / 1000}`)
  const versionOf = ({ before }: { before: string }) =>
    /^oss_vend_policies_info\{version="([\da-f]{12})"\} 1$/mu.exec(before)?.[1]
  const first = versionOf(known)
  t.ok(first)
  const unknown = await page({ POLICIES_DIR: `${dir}/same` })
  t.equal(versionOf(unknown), first, 'the same files in another place')
  t.not(versionOf(await page({ POLICIES_DIR: `${dir}/other` })), first)
  t.notMatch(unknown.before, /^oss_vend_sts_key_age_seconds\{/mu)
  t.notMatch(unknown.before, /^oss_vend_next_expiry_seconds/mu, 'nor is there a session')
})

t.test('without OPS_PORT there is none', async (t) => {
  t.equal((await build(t)).ops, undefined)
})
