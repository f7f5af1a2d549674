import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import { build, withTokenCacheOnAndOff } from '../helpers/build.ts'
import { claims, ISSUER, keys, mint } from '../helpers/tokens.ts'

const test = withTokenCacheOnAndOff(t)

const MINUTE_MS = 60_000
const SHARED = '198.51.100.7'

/** The app with its default limits, but for these. */
async function attacked(t: Test, env: Environment = {}) {
  let time = Date.now()
  const metrics = new Registry()
  const { app } = await build(t, {
    env: {
      RATE_LIMIT_ADDRESS_PER_MINUTE: '',
      RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '',
      RATE_LIMIT_CALLER_PER_MINUTE: '',
      ...env,
    },
    dependencies: { now: () => time, metrics },
  })
  const ask = (authorization?: string, from = SHARED) =>
    app.inject({
      url: '/v1/policies',
      headers: authorization === undefined ? {} : { authorization },
      remoteAddress: from,
    })
  /** How often each status was answered. */
  async function tally(presented: Iterable<string | undefined>) {
    const statuses: Record<number, number> = {}
    for (const authorization of presented) {
      const { statusCode } = await ask(authorization)
      statuses[statusCode] = (statuses[statusCode] ?? 0) + 1
    }
    return statuses
  }
  return { ask, tally, metrics, pass: (milliseconds: number) => (time += milliseconds) }
}

const goodToken = (sub = 'alice') => mint(claims({ sub }))
const bearer = (token: string) => `Bearer ${token}`
const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i))
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

const partOf = (token: string, at: number) => token.split('.')[at] ?? ''

/** Tokens that have something of a good one. */
const forgeries: readonly { name: string; forge: (good: string, i: number) => string }[] = [
  {
    name: 'the signature of a good token',
    forge: (good, i) => `${part({ alg: 'HS256' })}.${part({ i })}.${partOf(good, 2)}`,
  },
  {
    name: 'header and signature of a good token',
    forge: (good, i) => `${partOf(good, 0)}.${part(claims({ i }))}.${partOf(good, 2)}`,
  },
  {
    name: 'a good token with another header',
    forge: (good, i) => `${part({ alg: 'HS256', i })}.${partOf(good, 1)}.${partOf(good, 2)}`,
  },
  { name: 'a good token with parts behind', forge: (good, i) => `${good}.${i}` },
  { name: 'a good token behind its own signature', forge: (good) => `${partOf(good, 2)}.${good}` },
  { name: 'a good token with text before', forge: (good, i) => `${i}${good}` },
  { name: 'a good token in lower case', forge: (good) => good.toLowerCase() },
  { name: 'a good token with padding', forge: (good) => `${good}=` },
  { name: 'a good token cut short', forge: (good, i) => good.slice(0, -1 - (i % 40)) },
  { name: 'a good token with white space that is not ASCII', forge: (good) => `${good}\u00a0` },
]

test('a forged token is limited, however much of it is from a good one', async (t) => {
  for (const { name, forge } of forgeries) {
    t.test(name, async (t) => {
      const { ask, tally } = await attacked(t, { RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '50' })
      const good = goodToken()
      t.equal((await ask(bearer(good))).statusCode, 200)
      t.strictSame(await tally(times(200, (i) => bearer(forge(good, i)))), { 401: 50, 429: 150 })
      t.equal((await ask(bearer(good))).statusCode, 200)
    })
  }
})

test('a token that was good and has expired is limited like any other', async (t) => {
  const { ask, tally, pass } = await attacked(t, { RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '50' })
  const expiring = mint(claims({ exp: Math.floor(Date.now() / 1000) - 4 }))
  t.equal((await ask(bearer(expiring))).statusCode, 200, 'within the clock tolerance')
  const expired = mint(claims({ exp: Math.floor(Date.now() / 1000) - 60 }))
  t.strictSame(await tally(times(200, () => bearer(expired))), { 401: 50, 429: 150 })
  pass(MINUTE_MS)
  t.strictSame(await tally(times(60, () => bearer(expired))), { 401: 50, 429: 10 }, 'in each minute')
})

test('one address cannot lock out the good tokens of its neighbours', async (t) => {
  const limited = { 401: 300, 429: 100 }
  const noise: readonly { name: string; presented: (i: number) => string | undefined; want: Record<number, number> }[] =
    [
      { name: 'without any token', presented: () => undefined, want: { 401: 400 } },
      { name: 'with an empty header', presented: () => '', want: limited },
      { name: 'with a scheme that is not ours', presented: () => 'Basic YWxpY2U6cHc=', want: limited },
      { name: 'with two tokens', presented: (i) => `Bearer a.b.${i}, Bearer a.b.c`, want: limited },
      { name: 'with white space in a token', presented: (i) => `Bearer a.b. ${i}`, want: limited },
      { name: 'with nonsense', presented: (i) => `Bearer ${i}`, want: limited },
      {
        name: 'with tokens that fail',
        presented: (i) => bearer(mint(claims({ i }), {}, 'not the secret of the issuer, but long enough')),
        want: limited,
      },
    ]
  for (const { name, presented, want } of noise) {
    t.test(name, async (t) => {
      const { ask, tally } = await attacked(t)
      t.equal((await ask(bearer(goodToken('alice')))).statusCode, 200)
      t.strictSame(await tally(times(400, presented)), want)
      t.equal((await ask(bearer(goodToken('alice')))).statusCode, 200, 'a caller seen before')
      t.strictSame(await tally(times(50, (i) => bearer(goodToken(`newcomer-${i}`)))), { 200: 50 }, 'and 50 new ones')
      t.equal((await ask(undefined)).statusCode, 401, 'a request without a token is told that it needs one')
    })
  }
})

test('over the limit, the answer is the same whatever is wrong with the token', async (t) => {
  const { ask, tally, metrics } = await attacked(t, { RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '3' })
  await tally(times(3, () => 'Bearer x'))
  const now = Math.floor(Date.now() / 1000)
  const rows = [
    { name: 'nonsense', token: 'x' },
    { name: 'over long', token: 'x'.repeat(17_000) },
    { name: 'three empty parts', token: '..' },
    { name: 'a stranger for an issuer', token: mint(claims({ iss: 'https://evil.test' })) },
    { name: 'no signature', token: mint(claims(), { alg: 'none' }) },
    { name: 'an algorithm that is not ours', token: mint(claims(), { alg: 'RS256' }, keys.rsa.privateKey) },
    { name: 'a bad signature', token: mint(claims(), {}, 'not the secret of the issuer, but long enough') },
    { name: 'good, but expired', token: mint(claims({ exp: now - 600 })) },
    { name: 'good, but not yet', token: mint(claims({ nbf: now + 600 })) },
    { name: 'good, but for another audience', token: mint(claims({ aud: 'https://other.test' })) },
    { name: 'good, but without a subject', token: mint({ iss: ISSUER, aud: claims().aud, exp: now + 60 }) },
  ]
  const answers = new Set<string>()
  for (const { name, token } of rows) {
    const { statusCode, headers, body } = await ask(bearer(token))
    t.equal(statusCode, 429, name)
    const { date, 'x-request-id': id, 'content-length': length, ...told } = headers
    answers.add(JSON.stringify([told, body.replaceAll(String(id), '')]))
  }
  t.equal(answers.size, 1)
  t.notMatch([...answers].join(), /www-authenticate/u)
  t.match(await metrics.metrics(), `oss_vend_rate_limited_total{limit="failed_authentication"} ${rows.length}`)
})

test('the limit ends with its minute, and is one for each address', async (t) => {
  const { ask, tally, pass } = await attacked(t, { RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '3' })
  t.strictSame(await tally(times(5, () => 'Bearer x')), { 401: 3, 429: 2 })
  t.equal((await ask('Bearer x', '203.0.113.1')).statusCode, 401)
  const { headers } = await ask('Bearer x')
  t.equal(headers['retry-after'], '60')
  pass(MINUTE_MS)
  t.equal((await ask('Bearer x')).statusCode, 401)
})

test('what the limit of addresses bounds is verified no more', async (t) => {
  const { tally } = await attacked(t, {
    RATE_LIMIT_ADDRESS_PER_MINUTE: '100',
    RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '10',
  })
  t.strictSame(await tally(times(200, () => 'Bearer x')), { 401: 10, 429: 190 })
})

test('no header tells one client of another', async (t) => {
  const { ask } = await attacked(t)
  const told = ({ headers }: Awaited<ReturnType<typeof ask>>) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => /ratelimit|retry/iu.test(name)))
  const before = {
    stranger: told(await ask(undefined)),
    guesser: told(await ask('Bearer x')),
    alice: told(await ask(bearer(goodToken('alice')))),
  }
  t.strictSame(before.stranger, {}, 'a stranger is told nothing')
  t.strictSame(before.guesser, {})
  t.strictSame(before.alice, { 'ratelimit-limit': '120', 'ratelimit-remaining': '119', 'ratelimit-reset': '60' })
  for (let i = 0; i < 100; i++) await ask(bearer(goodToken(`neighbour-${i % 10}`)))
  t.strictSame(told(await ask(undefined)), before.stranger)
  t.strictSame(told(await ask('Bearer x')), before.guesser)
  t.match(told(await ask(bearer(goodToken('alice')))), { 'ratelimit-limit': '120', 'ratelimit-remaining': '118' })
  t.match(told(await ask(bearer(goodToken('new')))), { 'ratelimit-limit': '120', 'ratelimit-remaining': '119' })
})
