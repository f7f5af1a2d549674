import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import type { App } from '../../routes/services.ts'
import { systemClock } from '../../src/clock.ts'
import { build } from '../helpers/build.ts'
import { issuersFile } from '../helpers/config-faults.ts'
import { jwk, keyServer } from '../helpers/key-servers.ts'
import { listen } from '../helpers/listen.ts'
import { statement, templateText } from '../helpers/templates.ts'
import { AUDIENCE, claims, mint } from '../helpers/tokens.ts'

const MINUTE = 60_000
const rs256 = (kid = 'a', more: Record<string, unknown> = {}) => mint(claims(more), { alg: 'RS256', kid })

/** An app on a clock, whose only issuer publishes its keys at this address. */
async function withKeys(t: Test, url: string) {
  const clock = { now: 0 }
  const env = { JWT_SECRET: '', JWT_JWKS_URL: `${url}/jwks`, JWT_ALGORITHMS: 'RS256' }
  const built = await build(t, { env, dependencies: { clock: { ...systemClock(), monotonic: () => clock.now } } })
  return { ...built, clock }
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
  const { app, clock, logs } = await withKeys(t, await listen(t, server.handler))
  t.strictSame(await vend(app, rs256()), OK)
  t.strictSame(server.asked, ['/jwks'])
  server.die()
  for (let minute = 0; minute < 30; minute += 5) {
    clock.now += 5 * MINUTE
    t.strictSame(await vend(app, rs256()), OK)
  }
  t.strictSame(await vend(app, rs256('b')), REFUSED, 'an unknown key is refused, not unavailable')
  t.strictSame(await vend(app, rs256()), OK)
  t.equal(await ready(app), 200)
  t.ok(server.asked.length > 1, 'it was asked')
  t.match(
    logs.lines().filter(({ msg }) => msg === 'keys could not be fetched'),
    [{ level: 40, issuer: 'app' }],
  )
})

t.test('whose key is known does not wait for a key server that hangs', async (t) => {
  const hanging: ServerResponse[] = []
  const set = JSON.stringify({ keys: [jwk('a')] })
  const url = await listen(t, (_request, response) => {
    if (hanging.push(response) === 1) response.end(set)
  })
  const { app, clock } = await withKeys(t, url)
  t.strictSame(await vend(app, rs256()), OK)
  clock.now += 11 * MINUTE
  const answers = await Promise.all(Array.from({ length: 50 }, () => vend(app, rs256())))
  t.strictSame(answers, Array(50).fill(OK))
  await until(() => hanging.length === 2)
  // Only now, so that the app need not wait for it when it closes.
  for (const response of hanging) response.end(set)
})

t.test('a flood of invented keys reaches the key server once', async (t) => {
  const server = keyServer(() => ({ keys: [jwk('a')] }))
  const { app, clock } = await withKeys(t, await listen(t, server.handler))
  t.strictSame(await vend(app, rs256()), OK)
  clock.now += 31_000
  const flood = await Promise.all(Array.from({ length: 200 }, (_, n) => vend(app, rs256(`invented-${n}`))))
  t.strictSame(flood, Array(200).fill(REFUSED))
  t.equal(server.asked.length, 2)
  t.strictSame(await vend(app, rs256()), OK)
})

t.test('a new key is taken when the first token names it', async (t) => {
  const set = { keys: [jwk('a')] }
  const server = keyServer(() => set)
  const { app, clock } = await withKeys(t, await listen(t, server.handler))
  t.strictSame(await vend(app, rs256('a')), OK)
  set.keys = [jwk('b')]
  t.strictSame(await vend(app, rs256('b')), REFUSED, 'keys that are fresh are not asked for again')
  clock.now += 30_000
  t.strictSame(await vend(app, rs256('b')), OK)
  t.strictSame(await vend(app, rs256('a')), REFUSED, 'and the old one is gone')
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
