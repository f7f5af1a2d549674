import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { createKeySet } from '../../src/identity/key-set.ts'
import { readPublishedKeys } from '../../src/identity/published-keys.ts'
import { certificateOf } from '../helpers/certificate.ts'
import { jwk } from '../helpers/key-servers.ts'
import { keys, pem } from '../helpers/tokens.ts'

const RSA = pem(keys.rsa.publicKey).trim()
const EC = pem(keys.p256.publicKey).trim()

t.test('keys are found by kid and algorithm', async (t) => {
  const list = [
    jwk('rsa', keys.rsa.publicKey, { alg: 'RS256' }),
    jwk('any-rsa'),
    jwk('ec', keys.p256.publicKey),
    jwk('only-p384', keys.p384.publicKey),
    jwk('ed', keys.ed25519.publicKey),
    jwk('ops', keys.rsa.publicKey, { alg: 'PS256', use: undefined, key_ops: ['verify'] }),
    jwk('twice', keys.rsa.publicKey),
    jwk('twice', keys.p256.publicKey),
  ]
  const keySet = createKeySet({ fetchKeys: async () => ({ keys: list }), maxAgeMs: 60_000, onFetch: () => {} })
  await keySet.refresh()
  const rows = [
    { name: 'named', hint: { alg: 'RS256', kid: 'rsa' }, want: RSA },
    { name: 'named, without alg of its own', hint: { alg: 'PS512', kid: 'any-rsa' }, want: RSA },
    { name: 'of a curve', hint: { alg: 'ES256', kid: 'ec' }, want: EC },
    { name: 'of an Edwards curve', hint: { alg: 'EdDSA', kid: 'ed' }, want: pem(keys.ed25519.publicKey).trim() },
    { name: 'with operations', hint: { alg: 'PS256', kid: 'ops' }, want: RSA },
    { name: 'one kid, RSA', hint: { alg: 'RS256', kid: 'twice' }, want: RSA },
    { name: 'one kid, EC', hint: { alg: 'ES256', kid: 'twice' }, want: EC },
    { name: 'without kid, where one fits', hint: { alg: 'ES384' }, want: pem(keys.p384.publicKey).trim() },
    { name: 'without kid, where one key stands several times', hint: { alg: 'RS256' }, want: RSA },
    { name: 'another algorithm than the key says', hint: { alg: 'RS512', kid: 'rsa' }, want: undefined },
    { name: 'another kind of key', hint: { alg: 'ES256', kid: 'any-rsa' }, want: undefined },
    { name: 'another curve', hint: { alg: 'ES384', kid: 'ec' }, want: undefined },
    { name: 'HMAC by a public key', hint: { alg: 'HS256', kid: 'rsa' }, want: undefined },
    { name: 'none', hint: { alg: 'none', kid: 'rsa' }, want: undefined },
    { name: '__proto__', hint: { alg: 'RS256', kid: '__proto__' }, want: undefined },
    { name: 'null', hint: { alg: 'RS256', kid: 'null' }, want: undefined },
    { name: 'the start of a kid', hint: { alg: 'RS256', kid: 'rs' }, want: undefined },
  ]
  for (const { name, hint, want } of rows) {
    t.test(name, async (t) => {
      // Some of these take from the budget, which the set before them may have used up.
      const found = await keySet.find(hint).catch(() => undefined)
      t.equal(found, want)
    })
  }
})

t.test('a token without kid finds no key where several fit', async (t) => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
  const list = [jwk('a'), jwk('b', other), jwk('c')]
  const keySet = createKeySet({ fetchKeys: async () => ({ keys: list }), maxAgeMs: 60_000, onFetch: () => {} })
  t.equal(await keySet.find({ alg: 'RS256' }), undefined)
})

t.test('what is no key set is told by a code', async (t) => {
  const rows = [
    { name: 'null', document: null, want: 'no_keys' },
    { name: 'a list', document: [jwk('a')], want: 'no_keys' },
    { name: 'text', document: 'keys', want: 'no_keys' },
    { name: 'an object', document: {}, want: 'no_keys' },
    { name: 'a number of keys', document: { keys: 7 }, want: 'no_keys' },
    { name: 'a key for a list', document: { keys: jwk('a') }, want: 'no_keys' },
    { name: 'more than 256', document: { keys: Array(257).fill(null) }, want: 'too_many_keys' },
  ]
  for (const { name, document, want } of rows) {
    t.test(name, async (t) => t.throws(() => readPublishedKeys(document), { code: want }))
  }
})

t.test('a map from key ids to certificates is a key set', async (t) => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const good = certificateOf(keys.rsa)
  const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
  const { keys: found, dropped } = readPublishedKeys({
    a: good,
    keys: good,
    broken: good.replace('MII', 'MIJ'),
    short: certificateOf(short),
    cut: '-----BEGIN CERTIFICATE-----',
  })
  t.match(found, [
    { kid: 'a', pem: RSA, algorithms: RSA_ALGORITHMS },
    { kid: 'keys', pem: RSA },
  ])
  t.equal(found.length, 2)
  t.strictSame(dropped, [
    { index: 2, kid: 'broken', reason: 'malformed' },
    { index: 3, kid: 'short', reason: 'rsa_too_short' },
    { index: 4, kid: 'cut', reason: 'malformed' },
  ])
  const none: { name: string; input: unknown }[] = [
    { name: 'nothing', input: {} },
    { name: 'a list', input: [good] },
    { name: 'one that is no certificate', input: { a: good, b: pem(keys.rsa.publicKey) } },
    { name: 'one that is no text', input: { a: good, b: 7 } },
    { name: 'text', input: good },
    { name: 'an error', input: { error: 'not found' } },
  ]
  for (const { name, input } of none) t.throws(() => readPublishedKeys(input), { code: 'no_keys' }, name)
  const many = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`k${i}`, good]))
  t.throws(() => readPublishedKeys(many), { code: 'too_many_keys' })
  t.strictSame(readPublishedKeys({ keys: [{ kid: 'a', pem: good }] }).keys, [], 'and no certificate is a key of a JWKS')
})
