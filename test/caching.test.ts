import { connect } from 'node:net'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import t from 'tap'
import { startSandbox } from '../sandbox/index.ts'
import { sandboxEnvironment } from '../sandbox/local.ts'
import { build } from './helpers/build.ts'
import { manualClock, slowClock } from './helpers/clock.ts'
import { needsRedis, redisServer } from './helpers/redis.ts'
import { claims, mint } from './helpers/tokens.ts'
import { until } from './helpers/until.ts'
import { countingSource, heldSource, metric } from './helpers/vending.ts'

const AES_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => 3 * index ** 2)).toString('base64')

const ask = (sub = 'alice', more: Record<string, unknown> = {}, token: Record<string, unknown> = {}) => ({
  method: 'POST' as const,
  url: '/v1/credentials',
  headers: { authorization: `Bearer ${mint(claims({ sub, ...token }))}` },
  payload: { policy: 'user-upload', ...more },
})

t.test('a vend says in the log where its session came from, in one line', async (t) => {
  const { app, asked, logs } = await build(t)
  const [first, second] = [await app.inject(ask()), await app.inject(ask())]
  t.equal(first.json().credentials.sessionToken, second.json().credentials.sessionToken)
  t.equal(asked.length, 1)
  const lines = logs.lines().filter(({ reqId }) => reqId !== undefined)
  const line = {
    msg: 'vended',
    policy: 'user-upload',
    roleSessionName: 'user-upload@alice',
    address: '127.0.0.1',
    expiration: first.json().credentials.expiration,
    milliseconds: Number,
  }
  t.match(lines, [
    { ...line, from: 'sts' },
    { ...line, from: 'cache' },
  ])
  t.equal(lines.length, 2)
})

t.test('another caller, another length and another policy are other sessions', async (t) => {
  const { app, asked } = await build(t, { env: { JDCLOUD_MAX_SESSION_SECONDS: '43200' } })
  const scope = { scope: 'oss.upload oss.files' }
  for (const request of [
    ask(),
    ask('bob'),
    ask('alice', { policy: 'user-files' }, scope),
    ask('alice', { policy: 'album-upload', params: { album: 'a' } }),
    ask('alice', { policy: 'album-upload', params: { album: 'b' } }),
  ]) {
    for (const _ of [1, 2]) t.equal((await app.inject(request)).statusCode, 200)
  }
  t.equal(asked.length, 5)
  await app.inject(ask('alice', {}, { jti: 'another token', exp: Math.floor(Date.now() / 1000) + 60 }))
  t.equal(asked.length, 5, 'the same caller with another token gets the same session')
})

t.test('minValiditySeconds is honoured, and refused where it could not be', async (t) => {
  const clock = manualClock()
  const { app, asked } = await build(t, { dependencies: { clock } })
  const want = async (minValiditySeconds: unknown) => app.inject(ask('alice', { minValiditySeconds }))
  t.equal((await want(900)).statusCode, 200)
  await clock.advance(20 * 60_000)
  for (const minValiditySeconds of [undefined, 900, 1800]) t.equal((await want(minValiditySeconds)).statusCode, 200)
  t.equal(asked.length, 1)
  await clock.advance(11 * 60_000)
  t.equal((await want(1740)).statusCode, 200)
  t.equal((await want(1800)).statusCode, 200)
  t.equal(asked.length, 2)
  const fault = (detail: RegExp | string) => ({
    code: 'invalid_request',
    errors: [{ pointer: '/minValiditySeconds', detail }],
  })
  t.match((await want(1801)).json(), fault('must be at most 1800, half of the session'))
  for (const value of [899, 21_601, 900.5, '900', null]) t.match((await want(value)).json(), fault(/./u), String(value))
})

t.test('a caller who hangs up does not take the session of the others along', async (t) => {
  const { asked, source } = heldSource()
  const { app } = await build(t, { dependencies: { source } })
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const { headers, payload } = ask()
  const body = JSON.stringify(payload)
  const socket = connect(Number(url.port), url.hostname)
  socket.write(
    `POST /v1/credentials HTTP/1.1\r\nhost: x\r\nauthorization: ${headers.authorization}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  await until(() => asked.length === 1)
  const other = app.inject(ask())
  const connections = promisify(app.server.getConnections.bind(app.server))
  socket.destroy()
  await until(async () => (await connections()) === 0)
  t.notOk(asked[0]?.signal?.aborted)
  asked[0]?.pay({ accessKey: 'a', secretKey: 'b', sessionToken: 'c', expiresAt: Date.now() + 3_600_000 })
  t.equal((await other).statusCode, 200)
  t.equal(asked.length, 1)
})

t.test('nobody waits for longer than VEND_DEADLINE_MS', async (t) => {
  const { asked, source } = heldSource()
  const clock = manualClock()
  const { app } = await build(t, { env: { VEND_DEADLINE_MS: '500' }, dependencies: { clock, source } })
  const asking = app.inject(ask())
  await until(() => asked.length === 1)
  await clock.advance(500)
  const response = await asking
  t.equal(response.statusCode, 503, 'STS still has time')
  t.equal(response.headers['retry-after'], '1')
})

t.test('metrics are on the ops listener', async (t) => {
  const { app, ops } = await build(t, { env: { OPS_PORT: '0' } })
  await app.inject(ask())
  await app.inject(ask())
  const { body } = (await ops?.inject({ url: '/metrics' })) ?? { body: '' }
  for (const line of [
    'oss_vend_cache_lookups_total{result="hit"} 1',
    'oss_vend_cache_lookups_total{result="miss"} 1',
    'oss_vend_cache_entries 1',
    'oss_vend_sts_calls_total{target="default",outcome="ok"} 1',
    'oss_vend_sts_breaker_state{target="default",state="closed"} 1',
    'oss_vend_sts_queue_length{target="default"} 0',
    'oss_vend_sts_call_seconds_count{target="default"} 1',
  ]) {
    t.match(body, line)
  }
  t.notMatch(body, /alice|SENTINEL/u)
})

t.test('two replicas and a Redis: one call, whoever is asked', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const sandbox = await startSandbox()
  t.teardown(() => sandbox.close())
  const { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET, ...jdcloud } = sandboxEnvironment(sandbox)
  const env = { ...jdcloud, REDIS_URL: url, CACHE_ENCRYPTION_KEY: AES_KEY }
  const dependencies = { clock: slowClock() }
  const replicas = await Promise.all([1, 2].map(() => build(t, { env, realSts: true, dependencies })))
  const answers = await Promise.all(replicas.flatMap(({ app }) => [1, 2, 3].map(() => app.inject(ask()))))
  t.equal(sandbox.sts.asked.length, 1)
  // Not the whole body: it counts the seconds that are left.
  t.equal(new Set(answers.map((answer) => answer.json().credentials.sessionToken)).size, 1)
  const told = replicas.flatMap(({ logs }) => logs.lines().map(({ from }) => from)).filter((from) => from !== undefined)
  t.strictSame(told.toSorted(), ['shared', 'shared', 'shared', 'sts', 'sts', 'sts'])
})

t.test('Redis that is not there when the service starts keeps nobody from starting', async (t) => {
  const metrics = new Registry()
  const env = { REDIS_URL: 'redis://127.0.0.1:1', CACHE_ENCRYPTION_KEY: AES_KEY }
  const { app, asked, logs } = await build(t, { env, dependencies: { metrics } })
  for (const sub of ['alice', 'bob', 'alice']) t.equal((await app.inject(ask(sub))).statusCode, 200)
  t.equal(asked.length, 2)
  t.equal(await metric(metrics, 'oss_vend_redis_up'), 0)
  t.equal(logs.lines().filter(({ msg }) => String(msg).startsWith('Redis')).length, 1)
})

t.test('what is under way ends with the service: no refresh, no timer, no socket', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const clock = manualClock()
  const { asked, source } = heldSource()
  const env = { REDIS_URL: url, CACHE_ENCRYPTION_KEY: AES_KEY }
  const { app } = await build(t, { env, dependencies: { clock, source } })
  const first = app.inject(ask())
  await until(() => asked.length === 1)
  asked[0]?.pay({ accessKey: 'a', secretKey: 'b', sessionToken: 'c', expiresAt: clock.now() + 3_600_000 })
  t.equal((await first).statusCode, 200)
  await clock.advance(40 * 60_000)
  // For Redis no time has passed: it would have the session.
  const admin = new Redis(url)
  await admin.flushall()
  await admin.quit()
  t.equal((await app.inject(ask())).statusCode, 200)
  await until(() => asked.length === 2)
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  t.ok(sockets() >= 1)
  await app.close()
  t.ok(asked[1]?.signal?.aborted)
  t.equal(clock.timers(), 0)
  await until(() => sockets() === 0)
})

t.test('different grants under one key are what the key is there against', async (t) => {
  const sts = countingSource(Date.now)
  const { app } = await build(t, { dependencies: { source: sts.source, keyOf: ({ template }) => template } })
  const keyOf = async (sub: string) => (await app.inject(ask(sub))).json().credentials.accessKey
  t.equal(
    await keyOf('alice'),
    await keyOf('bob'),
    'the weakened key mixes callers up, so the other tests would see it',
  )
})
