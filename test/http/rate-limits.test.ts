import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import { build } from '../helpers/build.ts'
import { slowClock } from '../helpers/clock.ts'
import { connectTo, needsRedis, redisServer } from '../helpers/redis.ts'
import { claims, mint } from '../helpers/tokens.ts'

const bearer = (sub = 'alice') => ({ authorization: `Bearer ${mint(claims({ sub }))}` })
const AES_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => 7 * index ** 2)).toString('base64')
const GUESS = { authorization: `Bearer ${mint(claims(), {}, 'a secret that is not the one, and long enough')}` }

/** The app with these limits, by its own clock. */
async function limitedTo(t: Test, env: Environment, dependencies: Parameters<typeof build>[1] = {}) {
  let time = 1_000_000
  const metrics = new Registry()
  const built = await build(t, {
    env,
    ...dependencies,
    dependencies: { now: () => time, metrics, ...dependencies.dependencies },
  })
  const ask = async (
    headers: Record<string, string> = {},
    from = '198.51.100.7',
    { url = '/v1/policies', method = 'GET' as 'GET' | 'HEAD' | 'OPTIONS' | 'POST' } = {},
  ) => built.app.inject({ url, method, headers, remoteAddress: from })
  const statuses = async (times: number, ...request: Parameters<typeof ask>) => {
    const got: number[] = []
    for (let i = 0; i < times; i++) got.push((await ask(...request)).statusCode)
    return got
  }
  return { ...built, ask, statuses, metrics, pass: (milliseconds: number) => (time += milliseconds) }
}

t.test('an address that asks too often is told when to come back, before anything is verified', async (t) => {
  const { ask, statuses, pass, logs, metrics } = await limitedTo(t, { RATE_LIMIT_ADDRESS_PER_MINUTE: '3' })
  t.strictSame(await statuses(3, bearer()), [200, 200, 200])
  pass(20_500)
  const refused = await ask(GUESS)
  t.equal(refused.statusCode, 429)
  t.match(refused.headers, {
    'ratelimit-limit': '3',
    'ratelimit-remaining': '0',
    'ratelimit-reset': '40',
    'retry-after': '40',
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  t.match(refused.json(), {
    type: 'urn:oss-vend:problem:rate_limited',
    status: 429,
    code: 'rate_limited',
    detail: 'this address has asked too often',
    requestId: refused.headers['x-request-id'],
  })
  t.match(
    logs.lines().find(({ code }) => code === 'rate_limited'),
    { limit: 'address' },
  )
  t.match(await metrics.metrics(), 'oss_vend_rate_limited_total{limit="address"} 1')
  t.equal((await ask(bearer(), '203.0.113.1')).statusCode, 200, 'others are not concerned')
  pass(39_500)
  t.equal((await ask(bearer())).statusCode, 200, 'and the minute ends')
})

t.test('what is counted for an address', async (t) => {
  const rows = [
    { name: 'pages', url: '/openapi.json', counted: true },
    { name: 'what is not there', url: '/nope', counted: true },
    { name: 'HEAD', url: '/v1/policies', method: 'HEAD' as const, counted: true },
    { name: 'OPTIONS without an origin', url: '/v1/policies', method: 'OPTIONS' as const, counted: true },
    { name: 'a path that only looks like a probe', url: '/livez/x', counted: true },
    { name: 'another', url: '/livez%2f', counted: true },
    { name: 'liveness', url: '/livez', counted: false },
    { name: 'readiness', url: '/readyz?x=1', counted: false },
    { name: 'a probe by HEAD', url: '/livez', method: 'HEAD' as const, counted: false },
  ]
  for (const { name, counted, ...request } of rows) {
    t.test(name, async (t) => {
      const { statuses, ask } = await limitedTo(t, { RATE_LIMIT_ADDRESS_PER_MINUTE: '2' })
      const got = await statuses(3, {}, '198.51.100.7', request)
      t.equal(got.at(-1) === 429, counted)
      t.equal((await ask(bearer())).statusCode === 429, counted)
    })
  }
})

t.test('an address is that of the connection, whatever a stranger says', async (t) => {
  const { ask } = await limitedTo(t, { RATE_LIMIT_ADDRESS_PER_MINUTE: '5' })
  const got: number[] = []
  for (let i = 0; i < 6; i++) {
    const spoofed = `192.0.2.${i}`
    const headers = { 'x-forwarded-for': spoofed, 'x-real-ip': spoofed, forwarded: `for=${spoofed}`, ...bearer() }
    got.push((await ask(headers)).statusCode)
  }
  t.strictSame(got, [200, 200, 200, 200, 200, 429])
})

t.test(
  'behind a trusted proxy it is the one that the proxy tells, and what stands before is not believed',
  async (t) => {
    const { ask } = await limitedTo(t, { RATE_LIMIT_ADDRESS_PER_MINUTE: '2', TRUST_PROXY: '198.51.100.7' })
    const via = (chain: string) => ask({ 'x-forwarded-for': chain, ...bearer() })
    for (const chain of ['192.0.2.1', '203.0.113.77, 192.0.2.1']) t.equal((await via(chain)).statusCode, 200)
    t.equal((await via('203.0.113.78, 192.0.2.1')).statusCode, 429)
    t.equal((await via('192.0.2.2')).statusCode, 200, 'another behind the same proxy')
  },
)

t.test('a whole /64 is one address', async (t) => {
  const { ask } = await limitedTo(t, { RATE_LIMIT_ADDRESS_PER_MINUTE: '2' })
  t.equal((await ask(bearer(), '2001:db8::1')).statusCode, 200)
  t.equal((await ask(bearer(), '2001:db8::2')).statusCode, 200)
  t.equal((await ask(bearer(), '2001:db8::abcd:3')).statusCode, 429)
  t.equal((await ask(bearer(), '2001:db8:0:1::1')).statusCode, 200)
  t.equal((await ask(bearer(), '::ffff:198.51.100.9')).statusCode, 200)
  t.equal((await ask(bearer(), '198.51.100.9')).statusCode, 200)
  t.equal((await ask(bearer(), '198.51.100.9')).statusCode, 429, 'mapped and plain are one')
})

t.test('a preflight is neither counted nor refused, and a page can read why it was', async (t) => {
  const origin = 'https://app.example.test'
  const { ask, statuses } = await limitedTo(t, { RATE_LIMIT_ADDRESS_PER_MINUTE: '1', CORS_ORIGINS: origin })
  const preflight = { origin, 'access-control-request-method': 'POST' }
  const options = { url: '/v1/credentials', method: 'OPTIONS' as const }
  t.strictSame(await statuses(5, preflight, '198.51.100.7', options), [204, 204, 204, 204, 204])
  t.strictSame(await statuses(1, { origin, ...bearer() }), [200])
  const refused = await ask({ origin, ...bearer() })
  t.equal(refused.statusCode, 429)
  t.equal(refused.headers['access-control-allow-origin'], origin)
  for (const name of ['retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset']) {
    t.match(refused.headers['access-control-expose-headers'], name)
  }
  t.equal((await ask(preflight, '198.51.100.7', options)).statusCode, 204)
})

t.test('an address that presents bad tokens is slowed; its good tokens are not', async (t) => {
  const { ask, statuses, pass, logs, metrics } = await limitedTo(t, { RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '3' })
  t.strictSame(await statuses(20, bearer()), Array(20).fill(200), 'good ones are not counted')
  t.strictSame(await statuses(5, {}), Array(5).fill(401), 'nor is a request without any')
  t.strictSame(await statuses(3, GUESS), [401, 401, 401])
  pass(20_500)
  const guess = await ask(GUESS)
  t.equal(guess.statusCode, 429)
  t.match(guess.json(), { code: 'rate_limited', detail: 'this address has sent too many tokens that were refused' })
  t.equal(guess.headers['retry-after'], '40')
  t.match(
    logs.lines().find(({ code }) => code === 'rate_limited'),
    { limit: 'failed_authentication', reason: 'signature' },
    'the log still has the reason',
  )
  t.match(await metrics.metrics(), 'oss_vend_rate_limited_total{limit="failed_authentication"} 1')
  t.equal((await ask(bearer())).statusCode, 200, 'a neighbour who is at work is not locked out')
  t.equal((await ask(bearer('newcomer'))).statusCode, 200, 'nor is one who comes first now')
  pass(39_500)
  t.equal((await ask(GUESS)).statusCode, 401, 'and the minute ends')
})

t.test('a caller is counted wherever they are, and by issuer and subject', async (t) => {
  const { ask, statuses } = await limitedTo(t, { RATE_LIMIT_CALLER_PER_MINUTE: '3' })
  for (const [i, left] of [2, 1, 0].entries()) {
    const { headers, statusCode } = await ask(bearer(), `198.51.100.${i}`)
    t.equal(statusCode, 200)
    t.match(headers, { 'ratelimit-limit': '3', 'ratelimit-remaining': String(left), 'ratelimit-reset': '60' })
  }
  const refused = await ask(bearer(), '203.0.113.1')
  t.equal(refused.statusCode, 429)
  t.match(refused.json(), { code: 'rate_limited', detail: 'this caller has asked too often' })
  t.match(refused.headers, { 'retry-after': '60', 'ratelimit-remaining': '0' })
  t.strictSame(await statuses(1, bearer('bob')), [200])
  t.strictSame(await statuses(1, GUESS), [401], 'a caller is who verifies')
})

t.test('headers tell of the limit of the caller, and never of that of its address', async (t) => {
  const { ask } = await limitedTo(t, { RATE_LIMIT_ADDRESS_PER_MINUTE: '5', RATE_LIMIT_CALLER_PER_MINUTE: '100' })
  t.match((await ask(bearer())).headers, { 'ratelimit-limit': '100', 'ratelimit-remaining': '99' })
  t.notMatch(Object.keys((await ask()).headers).join(), 'ratelimit')
})

t.test('0 is no limit, and no headers', async (t) => {
  const { ask, statuses } = await limitedTo(t, {})
  t.strictSame([...new Set(await statuses(400, GUESS))], [401])
  t.strictSame([...new Set(await statuses(400, bearer()))], [200])
  t.notMatch(Object.keys((await ask(bearer())).headers).join(), 'ratelimit')
})

t.test('through Redis', needsRedis, async (t) => {
  const server = await redisServer(t)
  const limits = {
    RATE_LIMIT_ADDRESS_PER_MINUTE: '8',
    RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '2',
    RATE_LIMIT_CALLER_PER_MINUTE: '4',
  }
  const replica = async () => {
    const redis = connectTo(t, server)
    await redis.ping()
    const env = { ...limits, REDIS_URL: server.url, CACHE_ENCRYPTION_KEY: AES_KEY }
    return { redis, ...(await limitedTo(t, env, { dependencies: { now: Date.now, clock: slowClock(), redis } })) }
  }
  const [one, other] = [await replica(), await replica()]
  t.strictSame(await one.statuses(2, bearer(), '192.0.2.1'), [200, 200])
  t.strictSame(await other.statuses(3, bearer(), '192.0.2.2'), [200, 200, 429], 'a caller, on both')
  t.strictSame(await one.statuses(4, bearer('bob'), '192.0.2.3'), [200, 200, 200, 200])
  t.strictSame(await other.statuses(5, bearer('carol'), '192.0.2.3'), [200, 200, 200, 200, 429], 'an address, on both')
  const stored = await one.redis.keys('*')
  t.ok(stored.length >= 6)
  t.strictSame(
    stored.filter((name) => !/^oss-vend:rate:[\w-]{43}$/u.test(name)),
    [],
    'neither callers nor addresses stand in Redis',
  )
  t.strictSame(await one.statuses(2, GUESS, '192.0.2.4'), [401, 401])

  server.pause()
  const started = performance.now()
  t.equal((await one.ask(bearer('dave'), '192.0.2.5')).statusCode, 200)
  const took = performance.now() - started
  t.ok(took < 5000, `it answers without Redis after ${took} ms`)
  t.match(await one.metrics.metrics(), 'oss_vend_rate_limit_redis_failures_total 1')
  t.match(one.logs.text(), 'this replica counts for its rate limits alone')
  t.strictSame(await one.statuses(5, bearer('dave'), '192.0.2.5'), [200, 200, 200, 429, 429], 'and keeps its limits')
  server.resume()
})
