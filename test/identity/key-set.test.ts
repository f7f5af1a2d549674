import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { createKeySet, KeysUnavailableError } from '../../src/identity/key-set.ts'
import { jwk } from '../helpers/key-servers.ts'
import { keys, pem } from '../helpers/tokens.ts'

const RSA = pem(keys.rsa.publicKey).trim()
const EC = pem(keys.p256.publicKey).trim()
const MINUTE = 60_000

/** A key set on a clock, and a key server whose every answer is given by hand. */
function harness() {
  let now = 1_000_000
  const waiting: { resolve: (document: unknown) => void; reject: (error: Error) => void }[] = []
  const failures: unknown[] = []
  let fetches = 0
  const keySet = createKeySet({
    fetchKeys: () => {
      fetches++
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    onFailure: (error) => failures.push(error),
    now: () => now,
  })
  const next = () => {
    const one = waiting.shift()
    if (!one) throw new Error('nobody is waiting for keys')
    return one
  }
  return {
    keySet,
    failures,
    fetches: () => fetches,
    wait: (ms: number) => {
      now += ms
    },
    answer: (document: unknown) => next().resolve(document),
    fail: () => next().reject(new Error('no keys today')),
    /** The first load. */
    async load(...list: unknown[]) {
      const loaded = keySet.refresh()
      next().resolve({ keys: list })
      await loaded
    },
  }
}

/** Lets everything that can go on without the key server go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

t.test('keys are found by kid and algorithm', async (t) => {
  const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const { keySet, load } = harness()
  await load(
    jwk('rsa', keys.rsa.publicKey, { alg: 'RS256' }),
    jwk('any-rsa'),
    jwk('ec', keys.p256.publicKey),
    jwk('only-p384', keys.p384.publicKey),
    jwk('short', rsa1024),
    jwk('enc', keys.rsa.publicKey, { use: 'enc' }),
    jwk('twice', keys.rsa.publicKey),
    jwk('twice', keys.p256.publicKey),
    { kty: 'oct', kid: 'symmetric', k: 'c2VjcmV0' },
    { kty: 'RSA', kid: 'broken', n: '!', e: 'AQAB' },
    { kty: 'EC', kid: 'off-curve', crv: 'P-256', x: 'AAAA', y: 'AAAA' },
    { kty: 'unheard-of', kid: 'unheard-of' },
  )
  const rows = [
    { name: 'named', hint: { alg: 'RS256', kid: 'rsa' }, want: RSA },
    { name: 'named, without alg of its own', hint: { alg: 'PS512', kid: 'any-rsa' }, want: RSA },
    { name: 'of a curve', hint: { alg: 'ES256', kid: 'ec' }, want: EC },
    { name: 'one kid, RSA', hint: { alg: 'RS256', kid: 'twice' }, want: RSA },
    { name: 'one kid, EC', hint: { alg: 'ES256', kid: 'twice' }, want: EC },
    { name: 'without kid, where one fits', hint: { alg: 'ES384' }, want: pem(keys.p384.publicKey).trim() },
    { name: 'without kid, where several fit', hint: { alg: 'RS256' }, want: undefined },
    { name: 'another algorithm than the key says', hint: { alg: 'RS512', kid: 'rsa' }, want: undefined },
    { name: 'another kind of key', hint: { alg: 'ES256', kid: 'any-rsa' }, want: undefined },
    { name: 'another curve', hint: { alg: 'ES384', kid: 'ec' }, want: undefined },
    { name: 'an RSA key of 1024 bits', hint: { alg: 'RS256', kid: 'short' }, want: undefined },
    { name: 'a key for encryption', hint: { alg: 'RS256', kid: 'enc' }, want: undefined },
    { name: 'HMAC by a public key', hint: { alg: 'HS256', kid: 'rsa' }, want: undefined },
    { name: 'HMAC by a published secret', hint: { alg: 'HS256', kid: 'symmetric' }, want: undefined },
    { name: 'none', hint: { alg: 'none', kid: 'rsa' }, want: undefined },
    { name: 'a key without numbers', hint: { alg: 'RS256', kid: 'broken' }, want: undefined },
    { name: 'a point off its curve', hint: { alg: 'ES256', kid: 'off-curve' }, want: undefined },
    { name: 'an unknown kind', hint: { alg: 'RS256', kid: 'unheard-of' }, want: undefined },
    { name: '__proto__', hint: { alg: 'RS256', kid: '__proto__' }, want: undefined },
    { name: 'the start of a kid', hint: { alg: 'RS256', kid: 'rs' }, want: undefined },
  ]
  for (const { name, hint, want } of rows) {
    t.test(name, async (t) => {
      t.equal(await keySet.find(hint), want)
      t.equal(await keySet.find(hint), want, 'and again')
    })
  }
})

t.test('a known key never waits for the key server', async (t) => {
  const endings = {
    'which hangs': () => {},
    'which fails': (one: ReturnType<typeof harness>) => one.fail(),
    'which answers garbage': (one: ReturnType<typeof harness>) => one.answer('<html>'),
    'which answers null': (one: ReturnType<typeof harness>) => one.answer(null),
    'which answers a list': (one: ReturnType<typeof harness>) => one.answer([jwk('b')]),
    'which answers keys that are none': (one: ReturnType<typeof harness>) => one.answer({ keys: ['x'] }),
    'which answers more keys than anybody has': (one: ReturnType<typeof harness>) =>
      one.answer({ keys: Array.from({ length: 257 }, (_, n) => jwk(String(n))) }),
  }
  for (const [name, end] of Object.entries(endings)) {
    t.test(name, async (t) => {
      const one = harness()
      await one.load(jwk('a'))
      one.wait(10 * MINUTE)
      t.equal(await one.keySet.find({ alg: 'RS256', kid: 'a' }), RSA, 'served while it is asked')
      t.equal(one.fetches(), 2)
      end(one)
      await settle()
      one.wait(60 * MINUTE)
      t.equal(await one.keySet.find({ alg: 'RS256', kid: 'a' }), RSA, 'and served after it')
      t.equal(one.failures.length, name === 'which hangs' ? 0 : 1)
      t.ok(one.keySet.loaded())
    })
  }
})

t.test('keys are fetched again in the background after ten minutes, once', async (t) => {
  const one = harness()
  await one.load(jwk('a'))
  const find = (kid: string) => one.keySet.find({ alg: 'RS256', kid })
  one.wait(10 * MINUTE - 1)
  t.equal(await find('a'), RSA)
  t.equal(one.fetches(), 1, 'not yet')
  one.wait(1)
  await Promise.all(Array.from({ length: 1000 }, () => find('a')))
  t.equal(one.fetches(), 2, 'one flight for all')
  one.answer({ keys: [jwk('b')] })
  await settle()
  t.equal(await find('b'), RSA, 'the new key')
  t.equal(await find('a'), undefined, 'the old one is gone')
  t.equal(one.fetches(), 2)
  one.wait(10 * MINUTE)
  await find('b')
  t.equal(one.fetches(), 3, 'and so on')
  one.fail()
  await settle()
  one.wait(29_999)
  await find('b')
  t.equal(one.fetches(), 3, 'after a failure, not with every token')
  one.wait(1)
  t.equal(await find('b'), RSA)
  t.equal(one.fetches(), 4)
})

t.test('an unknown kid asks once in 30 s, however many there are', async (t) => {
  const one = harness()
  await one.load(jwk('a'))
  const flood = (from: number) =>
    Array.from({ length: 1000 }, (_, n) => one.keySet.find({ alg: 'RS256', kid: `invented-${from + n}` }))
  const all = (found: (string | undefined)[]) => [...new Set(found)]
  t.strictSame(all(await Promise.all(flood(0))), [undefined])
  t.equal(one.fetches(), 1, 'keys that are seconds old are not asked for again')
  one.wait(30_000)
  const waiting = flood(1000)
  await settle()
  t.equal(one.fetches(), 2)
  t.equal(await one.keySet.find({ alg: 'RS256', kid: 'a' }), RSA, 'a known one does not wait with them')
  one.answer({ keys: [jwk('a'), jwk('invented-1007')] })
  t.strictSame(all(await Promise.all(waiting)), [undefined, RSA], 'whose key has come is let in')
  one.wait(29_999)
  await Promise.all(flood(2000))
  t.equal(one.fetches(), 2)
  one.wait(1)
  const last = one.keySet.find({ alg: 'RS256', kid: 'other' })
  await settle()
  one.fail()
  t.equal(await last, undefined, 'a failure is no key')
  t.equal(await one.keySet.find({ alg: 'RS256', kid: 'a' }), RSA)
  t.equal(one.fetches(), 3)
})

t.test('without any key nothing can be said, until there are some', async (t) => {
  const one = harness()
  const find = () => one.keySet.find({ alg: 'RS256', kid: 'a' })
  const first = [find(), find()]
  await settle()
  t.equal(one.fetches(), 1)
  t.notOk(one.keySet.loaded())
  one.fail()
  for (const result of first) await t.rejects(result, KeysUnavailableError)
  await t.rejects(find(), KeysUnavailableError)
  one.wait(999)
  await t.rejects(find(), KeysUnavailableError)
  t.equal(one.fetches(), 1, 'not asked again within a second')
  t.equal(one.failures.length, 1)
  one.wait(1)
  const second = find()
  await settle()
  one.answer({ keys: [jwk('a')] })
  t.equal(await second, RSA)
  t.ok(one.keySet.loaded())
})

t.test('a key that was malformed is asked for again', async (t) => {
  const one = harness()
  await one.load({ kty: 'EC', kid: 'a', crv: 'P-256', x: 'AAAA', y: 'AAAA' })
  one.wait(30_000)
  const mended = one.keySet.find({ alg: 'ES256', kid: 'a' })
  await settle()
  t.equal(one.fetches(), 2)
  one.answer({ keys: [jwk('a', keys.p256.publicKey)] })
  t.equal(await mended, EC)
})

t.test('a refresh that is under way is joined', async (t) => {
  const one = harness()
  const both = [one.keySet.refresh(), one.keySet.refresh()]
  t.equal(one.fetches(), 1)
  one.fail()
  t.strictSame(await Promise.all(both), [undefined, undefined], 'it never rejects')
  t.match(one.failures, [{ message: 'no keys today' }])
})
