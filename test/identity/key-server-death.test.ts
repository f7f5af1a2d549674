import { generateKeyPairSync } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import type { App } from '../../src/http/fastify.ts'
import { build } from '../helpers/build.ts'
import { issuersFile } from '../helpers/config-faults.ts'
import { jwk, keyServer } from '../helpers/key-servers.ts'
import { listen } from '../helpers/listen.ts'
import { statement, templateText } from '../helpers/templates.ts'
import { manualTimers } from '../helpers/timers.ts'
import { AUDIENCE, claims, mint } from '../helpers/tokens.ts'

const MINUTE = 60_000
const rs256 = (kid = 'a', more: Record<string, unknown> = {}) => mint(claims(more), { alg: 'RS256', kid })

/** An app on a clock and on timers of the test's, whose only issuer publishes its keys at this address. */
async function withKeys(t: Test, url: string) {
  const clock = { now: 0 }
  const timers = manualTimers()
  const metrics = new Registry()
  const env = { JWT_SECRET: '', JWT_JWKS_URL: `${url}/jwks`, JWT_ALGORITHMS: 'RS256' }
  const dependencies = { clock: { ...timers.clock, monotonic: () => clock.now }, metrics }
  const built = await build(t, { env, dependencies })
  /** Lets so much time pass, and then the timer of key sets run. */
  const pass = async (ms: number) => {
    clock.now += ms
    await timers.tick(1000)
  }
  const age = async () => (await metrics.getSingleMetric('oss_vend_key_set_age_seconds')?.get())?.values[0]?.value
  const fetches = async () => {
    const { values = [] } = (await metrics.getSingleMetric('oss_vend_key_set_fetches_total')?.get()) ?? {}
    return Object.fromEntries(values.map(({ labels, value }) => [labels.result, value]))
  }
  return { ...built, clock, pass, age, fetches }
}

async function vend(app: App, token: string) {
  const headers = { authorization: `Bearer ${token}` }
  const response = await app.inject({
    method: 'POST',
    url: '/v1/credentials',
    headers,
    payload: { policy: 'user-upload' },
  })
  return { status: response.statusCode, code: response.json().code, retryAfter: response.headers['retry-after'] }
}

const ready = async (app: App) => (await app.inject({ method: 'GET', url: '/readyz' })).statusCode
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
const OK = { status: 200, code: undefined, retryAfter: undefined }
const REFUSED = { status: 401, code: 'unauthenticated', retryAfter: undefined }
const UNAVAILABLE = { status: 503, code: 'upstream_unavailable', retryAfter: '2' }

t.test('whose key is known is served while the key server is dead', async (t) => {
  const server = keyServer(() => ({ keys: [jwk('a')] }))
  const { app, pass, logs, age, fetches } = await withKeys(t, await listen(t, server.handler))
  t.strictSame(await vend(app, rs256()), OK)
  t.strictSame(server.asked, ['/jwks'])
  server.die()
  for (let minute = 0; minute < 30; minute += 5) {
    await pass(5 * MINUTE)
    t.strictSame(await vend(app, rs256()), OK)
  }
  t.strictSame(await vend(app, rs256('b')), UNAVAILABLE, 'nobody can say whether there is another key')
  t.strictSame(await vend(app, rs256()), OK)
  t.equal(await ready(app), 200)
  t.ok(server.asked.length > 1, 'it was asked')
  t.equal(await age(), 1800)
  t.match(await fetches(), { ok: 1, network: Number })
  t.match(
    logs.lines().filter(({ msg }) => String(msg).startsWith('keys could not be fetched')),
    [{ level: 40, issuer: 'app', result: 'network' }],
    'and the log says so once',
  )
  t.match(
    logs.lines().findLast(({ msg }) => msg === 'refused'),
    { reason: 'unknown_key', issuer: 'app' },
  )
})

t.test('keys that are a day old open nothing', async (t) => {
  const server = keyServer(() => ({ keys: [jwk('a')] }))
  const { app, clock, pass, logs } = await withKeys(t, await listen(t, server.handler))
  t.strictSame(await vend(app, rs256()), OK)
  server.die()
  clock.now += 24 * 60 * MINUTE
  t.strictSame(await vend(app, rs256()), OK)
  t.equal(await ready(app), 200)
  clock.now += 1
  t.equal(await ready(app), 503)
  t.strictSame(await vend(app, rs256()), UNAVAILABLE)
  t.strictSame(await vend(app, rs256('b')), UNAVAILABLE)
  await pass(7 * 24 * 60 * MINUTE)
  t.strictSame(await vend(app, rs256()), UNAVAILABLE)
  t.match(
    logs.lines().filter(({ msg }) => String(msg).startsWith('keys could not be fetched')),
    [{ level: 50, issuer: 'app', result: 'network' }],
  )
  server.live()
  await pass(1000)
  await until(() => logs.text().includes('keys are fetched again'))
  t.equal(await ready(app), 200, 'ready again without any caller')
  t.strictSame(await vend(app, rs256()), OK)
})

t.test('whose key is known does not wait for a key server that hangs', async (t) => {
  const hanging: ServerResponse[] = []
  const set = JSON.stringify({ keys: [jwk('a')] })
  const url = await listen(t, (_request, response) => {
    if (hanging.push(response) === 1) response.end(set)
  })
  const { app, pass } = await withKeys(t, url)
  t.strictSame(await vend(app, rs256()), OK)
  await pass(11 * MINUTE)
  const answers = await Promise.all(Array.from({ length: 50 }, () => vend(app, rs256())))
  t.strictSame(answers, Array(50).fill(OK))
  await until(() => hanging.length === 2)
  // Only now, so that the app need not wait for it when it closes.
  for (const response of hanging) response.end(set)
})

t.test('a new key is taken when the first token names it', async (t) => {
  const set = { keys: [jwk('a')] }
  const server = keyServer(() => set)
  const { app } = await withKeys(t, await listen(t, server.handler))
  t.strictSame(await vend(app, rs256('a')), OK)
  set.keys = [jwk('b')]
  t.strictSame(await vend(app, rs256('b')), OK, 'however fresh the old set is')
  t.strictSame(await vend(app, rs256('a')), REFUSED, 'and the old one is gone')
})

t.test('a new key under the old name is taken when the first signature fails', async (t) => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const set = { keys: [jwk('a')] }
  const server = keyServer(() => set)
  const { app } = await withKeys(t, await listen(t, server.handler))
  const byOther = (sub: string) => mint(claims({ sub }), { alg: 'RS256', kid: 'a' }, other.privateKey)
  t.strictSame(await vend(app, rs256('a')), OK)
  t.strictSame(await vend(app, byOther('alice')), REFUSED, 'before it is there')
  set.keys = [jwk('a', other.publicKey)]
  t.strictSame(await Promise.all(['alice', 'bob', 'carol'].map((sub) => vend(app, byOther(sub)))), [OK, OK, OK])
  t.equal(server.asked.length, 3, 'by one fetch')
  t.strictSame(await vend(app, rs256('a')), REFUSED)
})

t.test('SIGHUP fetches key sets at once', async (t) => {
  const set = { keys: [jwk('a'), jwk('b')] }
  const server = keyServer(() => set)
  const { app, reload } = await withKeys(t, await listen(t, server.handler))
  t.strictSame(await vend(app, rs256('a')), OK)
  set.keys = [jwk('b')]
  await reload()
  t.equal(server.asked.length, 2)
  await reload()
  t.strictSame(await vend(app, rs256('b')), OK)
  t.strictSame(await vend(app, rs256('a')), REFUSED)
})

t.test('an issuer that publishes no key any more, twice, is not ready', async (t) => {
  const set: { keys: unknown[] } = { keys: [jwk('a')] }
  const server = keyServer(() => set)
  const { app, reload, pass, logs } = await withKeys(t, await listen(t, server.handler))
  t.strictSame(await vend(app, rs256()), OK)
  set.keys = []
  await reload()
  t.strictSame(await vend(app, rs256()), OK, 'one odd answer locks nobody out')
  t.equal(await ready(app), 200)
  await pass(5000)
  await until(() => logs.text().includes('the key set has no key that can be used'))
  t.strictSame(await vend(app, rs256()), REFUSED)
  t.equal(await ready(app), 503)
})

t.test('without any key yet, nobody is called unauthenticated, and nothing is ready', async (t) => {
  const server = keyServer(() => ({ keys: [jwk('a')] }))
  server.die()
  const { app, clock, asked } = await withKeys(t, await listen(t, server.handler))
  t.strictSame(await vend(app, rs256()), UNAVAILABLE)
  t.strictSame(await vend(app, rs256()), UNAVAILABLE)
  t.strictSame(await vend(app, mint(claims())), REFUSED, 'another algorithm does not need keys to be refused')
  t.equal(server.asked.length, 1, 'it is not asked again within a second')
  t.equal(await ready(app), 503)
  t.equal((await app.inject({ method: 'GET', url: '/livez' })).statusCode, 200, 'a restart would not help')
  t.strictSame(asked, [], 'STS was never asked')
  server.live()
  clock.now += 1000
  t.strictSame(await vend(app, rs256()), OK)
  t.equal(await ready(app), 200)
})

t.test('ready is told while keys are on their way', async (t) => {
  const hanging: ServerResponse[] = []
  const url = await listen(t, (_request, response) => void hanging.push(response))
  const { app } = await withKeys(t, url)
  await app.ready()
  const response = await app.inject({ method: 'GET', url: '/readyz' })
  t.match({ status: response.statusCode, body: response.json() }, { status: 503, body: { code: 'not_ready' } })
  const waiting = vend(app, rs256())
  await until(() => hanging.length > 0)
  for (const response of hanging) response.end(JSON.stringify({ keys: [jwk('a')] }))
  t.strictSame(await waiting, OK, 'who came meanwhile is served')
  t.equal(hanging.length, 1, 'by one flight')
  t.equal(await ready(app), 200)
})

t.test('one issuer without keys does not take the other down', async (t) => {
  const dead = keyServer(() => ({}))
  dead.die()
  const alive = keyServer(() => ({ keys: [jwk('a')] }))
  const [deadUrl, aliveUrl] = [await listen(t, dead.handler), await listen(t, alive.handler)]
  const issuers = [
    { name: 'dead', issuer: 'https://dead.test', audience: AUDIENCE, jwksUrl: `${deadUrl}/jwks` },
    { name: 'app', issuer: 'https://app.test', audience: AUDIENCE, jwksUrl: `${aliveUrl}/jwks` },
  ]
  const policy = { Version: '3', Statement: [statement('${issuer}/${jwt:sub}/*')] }
  const template = templateText({ allow: { issuer: ['dead', 'app'] }, policy })
  const { app } = await build(t, { env: issuersFile(t, issuers, { 'user-upload.yaml': template }) })
  t.strictSame(await vend(app, rs256('a', { iss: 'https://app.test' })), OK)
  t.strictSame(await vend(app, rs256('a', { iss: 'https://dead.test' })), UNAVAILABLE)
  t.strictSame(await vend(app, rs256('a', { iss: 'https://else.test' })), REFUSED)
  t.equal(await ready(app), 200)
})

t.test('an issuer whose key is configured is ready at once', async (t) => {
  const { app } = await build(t)
  t.equal(await ready(app), 200)
})
