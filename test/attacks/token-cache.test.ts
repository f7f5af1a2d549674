import { createHmac, generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import { build } from '../helpers/build.ts'
import { manualClock } from '../helpers/clock.ts'
import { jwk } from '../helpers/key-servers.ts'
import { listen } from '../helpers/listen.ts'
import { manualTimers } from '../helpers/timers.ts'
import { claims, keys, mint } from '../helpers/tokens.ts'
import { metric } from '../helpers/vending.ts'

const SECRET = 'the-secret-that-comes-next-of-more-than-thirty-two-bytes-0123'

/** The app on a clock, which can be asked with a token, and what its token cache counts. */
async function remembering(t: Test, env: Environment = {}) {
  const timers = manualTimers()
  const clock = { ...manualClock(), every: timers.every }
  const metrics = new Registry()
  const { app, reload } = await build(t, { env, dependencies: { clock, metrics } })
  await app.ready()
  const ask = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    return (await app.inject({ url: '/v1/policies', headers })).statusCode
  }
  const lookups = (result: string) => metric(metrics, 'oss_vend_token_cache_lookups_total', { result })
  const entries = () => metric(metrics, 'oss_vend_token_cache_entries')
  const at = (seconds: number) => clock.now() / 1000 + seconds
  return { ask, lookups, entries, at, clock, timers, reload, metrics }
}

t.test('a token that returns is found, and counted', async (t) => {
  const { ask, lookups, entries } = await remembering(t)
  const token = mint(claims())
  for (let i = 0; i < 3; i++) t.equal(await ask(token), 200)
  t.strictSame([await lookups('hit'), await lookups('miss'), await entries()], [2, 1, 1])
})

t.test('0 remembers nothing', async (t) => {
  const { ask, lookups, entries } = await remembering(t, { JWT_CACHE_ENTRIES: '0' })
  const token = mint(claims())
  for (let i = 0; i < 3; i++) t.equal(await ask(token), 200)
  t.strictSame([await lookups('hit'), await lookups('miss'), await entries()], [0, 0, 0])
})

t.test('the dates of a remembered token are checked at each use', async (t) => {
  const rows = [
    { name: 'exp passes', dates: { exp: 600 }, pass: 605_000 },
    {
      name: 'it grows too old',
      dates: { iat: 0, exp: 6000 },
      pass: 306_000,
      env: { JWT_MAX_TOKEN_AGE_SECONDS: '300' },
    },
    { name: 'the date is set back before nbf', dates: { nbf: 0, exp: 6000 }, step: -6000 },
    { name: 'the date is set back before iat', dates: { iat: 0, exp: 6000 }, step: -6000 },
  ]
  for (const { name, dates, pass = 0, step = 0, env } of rows) {
    t.test(name, async (t) => {
      const { ask, clock, at, lookups, entries } = await remembering(t, env)
      const token = mint(claims(Object.fromEntries(Object.entries(dates).map(([claim, s]) => [claim, at(s)]))))
      t.equal(await ask(token), 200)
      await clock.advance(Math.max(0, pass - 1000))
      t.equal(await ask(token), 200, 'a second before')
      await clock.advance(Math.min(pass, 1000))
      clock.step(step)
      t.equal(await ask(token), 401)
      t.equal(await lookups('hit'), 2, 'it was remembered')
      t.equal(await entries(), 0, 'and is forgotten')
    })
  }
})

t.test('a secret that is replaced ends what it has verified at once', async (t) => {
  const dir = t.testdir({ secret: keys.hmac })
  const env = { JWT_SECRET: '', JWT_SECRET_FILE: `${dir}/secret` }
  const { ask, timers } = await remembering(t, env)
  const old = mint(claims())
  t.strictSame([await ask(old), await ask(old)], [200, 200])
  await writeFile(`${dir}/secret`, SECRET)
  for (let look = 0; look < 2; look++) await timers.tick(2000)
  t.strictSame([await ask(old), await ask(old), await ask(mint(claims(), {}, SECRET))], [401, 401, 200])
  await writeFile(`${dir}/secret`, keys.hmac)
  for (let look = 0; look < 2; look++) await timers.tick(2000)
  t.equal(await ask(old), 200, 'the old secret is back, and verifies anew')
})

/** The same with a key server, which answers with these keys. */
async function withKeyServer(t: Test, served: { keys: unknown[] }) {
  const url = await listen(t, (_request, response) => void response.end(JSON.stringify(served)))
  return remembering(t, { JWT_SECRET: '', JWT_JWKS_URL: url, JWT_ALGORITHMS: 'RS256' })
}

t.test('a key that its issuer withdraws ends what it has verified', async (t) => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const b = jwk('b', other.publicKey)
  const rows = [
    { name: 'for another', next: [b, jwk('c', other.publicKey)], reloads: 1 },
    { name: 'so that the set shrinks, once confirmed', next: [b], reloads: 2 },
    { name: 'for another under its kid', next: [b, jwk('a', other.publicKey)], reloads: 1 },
  ]
  for (const { name, next, reloads } of rows) {
    t.test(name, async (t) => {
      const served = { keys: [jwk('a'), b] }
      const { ask, clock, timers } = await withKeyServer(t, served)
      const token = mint(claims(), { alg: 'RS256', kid: 'a' })
      t.strictSame([await ask(token), await ask(token)], [200, 200])
      served.keys = next
      // By the clock, and not by SIGHUP, which would empty the cache in any case.
      for (let i = 0; i < reloads; i++) {
        await clock.advance(600_000)
        await timers.tick(1000)
        await ask(mint(claims(), { alg: 'RS256', kid: `unknown-${i}` }))
      }
      t.strictSame([await ask(token), await ask(token)], [401, 401])
    })
  }
})

t.test('a set of keys that is too old verifies nothing, remembered tokens included', async (t) => {
  const served: { keys: unknown[] } = { keys: [jwk('a')] }
  const { ask, clock } = await withKeyServer(t, served)
  const token = mint(claims(), { alg: 'RS256', kid: 'a' })
  t.strictSame([await ask(token), await ask(token)], [200, 200])
  served.keys = Array(257).fill(null)
  await clock.advance(86_401_000)
  t.equal(await ask(token), 503)
})

t.test('SIGHUP empties it', async (t) => {
  const { ask, entries, reload } = await remembering(t)
  t.equal(await ask(mint(claims())), 200)
  await reload()
  t.equal(await entries(), 0)
})

t.test('a token that shares parts with a remembered one is another token', async (t) => {
  const { ask, lookups } = await remembering(t)
  const good = mint(claims())
  const [head = '', body = '', signature = ''] = good.split('.')
  const admin = Buffer.from(JSON.stringify(claims({ sub: 'admin' }))).toString('base64url')
  const forged = createHmac('sha256', 'x'.repeat(32)).update(`${head}.${body}`).digest('base64url')
  t.equal(await ask(good), 200)
  const rows = [
    { name: 'another payload', token: `${head}.${admin}.${signature}` },
    { name: 'another signature', token: `${head}.${body}.${forged}` },
    { name: 'another header', token: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.${signature}` },
    { name: 'its start', token: good.slice(0, -1) },
    { name: 'it and more', token: `${good}A` },
    { name: 'its parts with the dots elsewhere', token: `${head}${body}.${signature}` },
    { name: 'in other letters', token: good.toUpperCase() },
  ]
  for (const { name, token } of rows) t.equal(await ask(token), 401, name)
  t.equal(await lookups('hit'), 0)
})

t.test('a refused token is never remembered', async (t) => {
  const { ask, entries, at } = await remembering(t)
  const rows = [
    mint(claims(), {}, SECRET),
    mint(claims({ exp: at(-60) })),
    mint(claims({ nbf: at(60) })),
    mint(claims({ aud: 'https://other.test' })),
    mint(claims({ sub: '' })),
    mint(claims(), { typ: 'logout+jwt' }),
    'nonsense',
  ]
  for (const token of rows) t.equal(await ask(token), 401)
  t.equal(await entries(), 0)
})

t.test('a flood of good tokens is bounded, by number and by length', async (t) => {
  const { ask, entries } = await remembering(t, { JWT_CACHE_ENTRIES: '20' })
  for (let i = 0; i < 100; i++) t.equal(await ask(mint(claims({ jti: i }))), 200)
  t.equal(await entries(), 20)
  for (let i = 0; i < 20; i++) t.equal(await ask(mint(claims({ jti: i, padding: 'x'.repeat(5000) }))), 200)
  t.ok((await entries()) < 10, 'long ones take the place of several')
})
