import { createSecretKey } from 'node:crypto'
import t from 'tap'
import { withTokenCacheOnAndOff } from '../helpers/build.ts'
import { jwk } from '../helpers/key-servers.ts'
import { keys } from '../helpers/tokens.ts'
import { until } from '../helpers/until.ts'
import { type Answer, DAY, other, present, ready, rsa, SHARED, set, short, token, withKeyServer } from './key-server.ts'

const test = withTokenCacheOnAndOff(t)

test('one bad entry disables no issuer, and opens nothing', async (t) => {
  const { app, server, clock, reload, logs } = await withKeyServer(t)
  const octets = createSecretKey(Buffer.from(SHARED)).export({ format: 'jwk' })
  const bad = (more: Record<string, unknown>) => jwk('bad', rsa, more)
  const rows: { name: string; input: unknown; want: string; token?: string }[] = [
    { name: 'null', input: null, want: 'not_an_object' },
    { name: 'a number', input: 7, want: 'not_an_object' },
    { name: 'text', input: 'bad', want: 'not_an_object' },
    { name: 'a list', input: [jwk('bad')], want: 'not_an_object' },
    { name: 'an empty object', input: {}, want: 'bad_kty' },
    { name: 'no kty', input: bad({ kty: undefined }), want: 'bad_kty' },
    { name: 'a kty that is null', input: bad({ kty: null }), want: 'bad_kty' },
    { name: 'an unknown kty', input: bad({ kty: 'AKP' }), want: 'bad_kty' },
    { name: 'RSA without n', input: bad({ n: undefined }), want: 'bad_n' },
    { name: 'RSA without numbers', input: bad({ n: '!' }), want: 'rsa_too_short' },
    {
      name: 'RSA of 1024 bits',
      input: jwk('bad', short.publicKey),
      want: 'rsa_too_short',
      token: token('bad', short.privateKey),
    },
    { name: 'RSA with an exponent of 1', input: bad({ e: 'AQ' }), want: 'rsa_exponent' },
    { name: 'RSA with an even exponent', input: bad({ e: 'Ag' }), want: 'rsa_exponent' },
    { name: 'RSA of 16384 bits', input: bad({ n: `_${'_'.repeat(2730)}` }), want: 'rsa_too_long' },
    {
      name: 'EC off its curve',
      input: { kty: 'EC', kid: 'bad', crv: 'P-256', x: 'AAAA', y: 'AAAA' },
      want: 'malformed',
    },
    { name: 'EC of another curve', input: jwk('bad', keys.p256.publicKey, { crv: 'P-384' }), want: 'malformed' },
    { name: 'EC without y', input: jwk('bad', keys.p256.publicKey, { y: undefined }), want: 'bad_y' },
    { name: 'for encryption', input: bad({ use: 'enc' }), want: 'not_for_signatures', token: token('bad') },
    { name: 'for signing alone', input: bad({ key_ops: ['sign'] }), want: 'not_for_signatures', token: token('bad') },
    { name: 'with operations that are no list', input: bad({ key_ops: 'verify' }), want: 'bad_key_ops' },
    { name: 'with an algorithm for encryption', input: bad({ alg: 'RSA-OAEP' }), want: 'unsupported_algorithm' },
    { name: 'RSA for HS256', input: bad({ alg: 'HS256' }), want: 'unsupported_algorithm' },
    {
      name: 'symmetric',
      input: { ...octets, kid: 'bad' },
      want: 'symmetric',
      token: token('bad', SHARED, 'HS256'),
    },
    {
      name: 'symmetric, for RS256',
      input: { ...octets, kid: 'bad', alg: 'RS256', use: 'sig' },
      want: 'symmetric',
      token: token('bad', SHARED, 'HS256'),
    },
    {
      name: 'a private key',
      input: { ...other.privateKey.export({ format: 'jwk' }), kid: 'bad' },
      want: 'private',
      token: token('bad', other.privateKey),
    },
    { name: 'half a private key', input: bad({ d: '' }), want: 'private', token: token('bad') },
    {
      name: 'a second key under the kid of another',
      input: jwk('a', other.publicKey),
      want: 'duplicate_kid',
      token: token('a', other.privateKey),
    },
    { name: 'the same key twice', input: jwk('a'), want: 'duplicate_kid' },
    { name: 'a kid that is no text', input: bad({ kid: 7 }), want: 'bad_kid' },
    {
      name: 'a kid that would write into the log',
      input: bad({ kid: 'x\n{"level":60}', use: 'x' }),
      want: 'not_for_signatures',
    },
  ]
  for (const { name, input, want, token: bad } of rows) {
    t.test(name, async (t) => {
      server.answer = set(jwk('a'), input, jwk('z', keys.p256.publicKey))
      const before = logs.lines().length
      await reload()
      t.equal(await present(app, token('a')), 200, 'the key before it is used')
      t.equal(await present(app, token('z', keys.p256.privateKey, 'ES256')), 200, 'and the one behind it')
      // Enough for one more fetch on behalf of tokens.
      clock.now += 10_000
      if (bad !== undefined) t.equal(await present(app, bad), 401, 'and it verifies nothing')
      const [line] = logs
        .lines()
        .slice(before)
        .filter(({ entry }) => entry !== undefined)
      const kid = JSON.stringify(input)?.match(/"kid":"(bad|a)"/u)?.[1]
      t.match(line, { issuer: 'app', entry: 1, reason: want })
      t.equal(line?.kid, Array.isArray(input) ? undefined : kid)
      server.answer = set(jwk('a'))
      await reload()
      await reload()
    })
  }
  t.test('and the log never says ZodError', async (t) => t.notMatch(logs.text(), /ZodError|level":60/u))
})

test('what a key server does for a week', async (t) => {
  const rows: { name: string; input: Answer; want: { status: number | string; result: string } }[] = [
    {
      name: 'dies',
      input: (response) => void response.socket?.destroy(),
      want: { status: '503 after 2', result: 'network' },
    },
    {
      name: 'fails',
      input: (response) => void response.writeHead(500).end(),
      want: { status: '503 after 2', result: 'http_500' },
    },
    {
      name: 'redirects',
      input: (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      want: { status: '503 after 2', result: 'http_302' },
    },
    {
      name: 'answers HTML',
      input: (response) => void response.end('<html>'),
      want: { status: '503 after 2', result: 'not_json' },
    },
    {
      name: 'answers {}',
      input: (response) => void response.end('{}'),
      want: { status: '503 after 2', result: 'no_keys' },
    },
    {
      name: 'answers too much',
      input: (response) => void response.end(' '.repeat(300_000)),
      want: { status: '503 after 2', result: 'too_large' },
    },
    {
      name: 'answers too many',
      input: set(...Array(257).fill(null)),
      want: { status: '503 after 2', result: 'too_many_keys' },
    },
    { name: 'answers no key', input: set(), want: { status: 401, result: 'ok' } },
    {
      name: 'answers no usable key',
      input: set(null, {}, { kty: 'oct', k: 'AAAA' }),
      want: { status: 401, result: 'ok' },
    },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      const { app, server, clock, tick, reload, logs } = await withKeyServer(t)
      t.equal(await present(app, token('a')), 200)
      server.answer = input
      await reload()
      t.equal(await present(app, token('a')), 200, 'the first time changes nothing')
      t.equal(await ready(app), 200)
      clock.now += 7 * DAY
      const before = server.asked
      await tick()
      await until(() => server.asked > before)
      await reload()
      t.equal(await present(app, token('a')), want.status)
      t.equal(await ready(app), 503)
      if (want.result !== 'ok')
        t.match(
          logs.lines().findLast(({ result }) => result),
          { issuer: 'app', result: want.result },
        )
      server.answer = set(jwk('a'))
      await reload()
      t.equal(await present(app, token('a')), 200, 'and then all is well again')
      t.equal(await ready(app), 200)
    })
  }
})

test('a key that was revoked is dead by the second fetch', async (t) => {
  const b = jwk('b', other.publicKey)
  const rows: { name: string; input: Answer; want: number[] }[] = [
    { name: 'alone', input: set(b), want: [200, 401] },
    { name: 'for a new one', input: set(b, jwk('c', keys.p256.publicKey)), want: [401, 401] },
    { name: 'with all others', input: set(), want: [200, 401] },
    { name: 'its name is given to another', input: set(b, jwk('a', keys.p256.publicKey)), want: [401, 401] },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      const { app, server, reload } = await withKeyServer(t, set(jwk('a'), b))
      t.equal(await present(app, token('a')), 200)
      server.answer = input
      for (const status of want) {
        await reload()
        t.equal(await present(app, token('a')), status)
      }
    })
  }
})

test('a published key is never refused while nobody can know that it is not', async (t) => {
  const invented = (n: number) => token(`invented-${n}`)
  const dead: Answer = (response) => void response.socket?.destroy()
  const rotated = jwk('a', other.publicKey)

  t.test('a new kid, right after the fetch that used the budget up', async (t) => {
    const { app, server, clock } = await withKeyServer(t)
    for (let n = 0; n < 5; n++) await present(app, invented(n))
    server.answer = set(jwk('a'), jwk('n', other.publicKey))
    for (const ms of [0, 1, 999]) {
      clock.now += ms
      t.match(await present(app, token('n', other.privateKey)), /^503 after (?:9|10)$/u)
    }
    clock.now += 9000
    t.equal(await present(app, token('n', other.privateKey)), 200)
  })

  const failures: Record<string, Answer> = {
    'is dead': dead,
    fails: (response) => void response.writeHead(500).end(),
    'answers HTML': (response) => void response.end('<html>'),
  }
  for (const [name, answer] of Object.entries(failures)) {
    t.test(`a new key under the old kid, while the key server ${name}`, async (t) => {
      const { app, server, clock, reload } = await withKeyServer(t)
      t.equal(await present(app, token('a')), 200)
      server.answer = answer
      for (let n = 0; n < 8; n++) {
        t.match(await present(app, token('a', other.privateKey)), /^503 after \d+$/u, 'within the budget and beyond it')
        t.match(await present(app, invented(n)), /^503 after \d+$/u)
        t.equal(await present(app, token('a')), 200, 'the old key is good')
        clock.now += 100
      }
      t.equal(server.asked, 5, 'the first fetch, and the budget')
      server.answer = set(rotated)
      await reload()
      t.equal(await present(app, token('a', other.privateKey)), 200)
      t.equal(await present(app, token('a')), 401, 'once the set is known again, so is what is not in it')
    })
  }

  t.test('a withdrawn key, while the key server is dead', async (t) => {
    const { app, server, reload } = await withKeyServer(t)
    t.equal(await present(app, token('a')), 200)
    server.answer = set(jwk('b', other.publicKey))
    await reload()
    t.equal(await present(app, token('a')), 401)
    server.answer = dead
    for (let n = 0; n < 6; n++) t.match(await present(app, token('a')), /^503 after \d+$/u)
    server.answer = set(jwk('a'), jwk('b', other.publicKey))
    await reload()
    t.equal(await present(app, token('a')), 200, 'it may be published again')
  })
})
