import { createSecretKey } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { withTokenCacheOnAndOff } from '../helpers/build.ts'
import { jwk } from '../helpers/key-servers.ts'
import { listen } from '../helpers/listen.ts'
import { profiles } from '../helpers/profiles.ts'
import { AUDIENCE, claims, keys, mint } from '../helpers/tokens.ts'
import { start } from './harness.ts'

const test = withTokenCacheOnAndOff(t)

const NEXT_SECRET = 'the-secret-that-comes-next-of-more-than-thirty-two-bytes-0123'
const entry = { name: 'web', issuer: 'https://web.test', audience: AUDIENCE }
const of = (more: object = {}) => claims({ iss: entry.issuer, ...more })
const dirOf = (env: { JWT_ISSUERS_FILE?: string | undefined }) => env.JWT_ISSUERS_FILE?.replace('/issuers.yaml', '')

test('each source of an issuer changes by itself', async (t) => {
  const served = { keys: [jwk('a')] }
  const url = await listen(t, (_request, response) => response.end(JSON.stringify(served)))
  const env = profiles(t, [{ ...entry, secretFile: 'hmac.txt', jwksUrl: url, jwksTimeoutMs: 10_000 }])
  const { looks, reload, status } = await start(t, env)
  const tokens = [mint(of()), mint(of(), {}, NEXT_SECRET), mint(of(), { alg: 'RS256', kid: 'a' })]
  const all = () => Promise.all(tokens.map(status))
  t.strictSame([await all(), await all()], Array(2).fill([200, 401, 200]))
  await writeFile(`${dirOf(env)}/hmac.txt`, NEXT_SECRET)
  await looks(2)
  t.strictSame([await all(), await all()], Array(2).fill([401, 200, 200]), 'another secret')
  served.keys = [jwk('b', keys.p256.publicKey), jwk('c', keys.p256.publicKey)]
  await reload()
  t.strictSame([await all(), await all()], Array(2).fill([401, 200, 401]), 'another key set')
})

test('a key set in a file changes like other keys in files', async (t) => {
  const env = profiles(t, [{ ...entry, jwksFile: 'set.json' }])
  const path = `${dirOf(env)}/set.json`
  const { looks, status, reloads, logs } = await start(t, env)
  const [old, next] = [mint(of(), { alg: 'RS256', kid: 'a' }), mint(of(), { alg: 'ES256', kid: 'b' })]
  const both = async () => [await status(old), await status(next)]
  t.strictSame([await both(), await both()], Array(2).fill([200, 401]))
  await writeFile(path, JSON.stringify({ keys: [jwk('a'), jwk('b', keys.p256.publicKey)] }))
  await looks(2)
  t.strictSame([await both(), await both()], Array(2).fill([200, 200]), 'one more')
  t.equal(await reloads('issuer_key', 'taken'), 1)
  await writeFile(path, JSON.stringify({ keys: [jwk('b', keys.p256.publicKey)] }))
  await looks(2)
  t.strictSame([await both(), await both()], Array(2).fill([401, 200]), 'one less, at once')
  const refused = [
    'SENTINEL',
    '{}',
    '{"keys":[]}',
    JSON.stringify({ keys: [jwk('b', keys.p256.privateKey)] }),
    JSON.stringify({ keys: [jwk('b', keys.p384.publicKey)] }),
  ]
  for (const [i, text] of refused.entries()) {
    await writeFile(path, text)
    await looks(2)
    t.strictSame(await both(), [401, 200], text.slice(0, 20))
    t.equal(await reloads('issuer_key', 'refused'), i + 1)
  }
  t.notMatch(logs.text(), 'SENTINEL')
})

test('a secret in another encoding changes, too', async (t) => {
  const secret = (fill: number) =>
    Buffer.from(Array.from({ length: 40 }, (_, i) => (fill + i * i * 37 + (i % 7) * 91) & 255))
  const [old, next] = [secret(3), secret(200)]
  const dir = t.testdir({ secret: old.toString('base64') })
  const env = { JWT_SECRET: '', JWT_SECRET_FILE: `${dir}/secret`, JWT_SECRET_ENCODING: 'base64' }
  const { looks, status } = await start(t, env)
  const tokens = [old, next].map((bytes) => mint(claims(), {}, createSecretKey(bytes)))
  const both = () => Promise.all(tokens.map(status))
  t.strictSame([await both(), await both()], Array(2).fill([200, 401]))
  await writeFile(`${dir}/secret`, next.toString('base64'))
  await looks(2)
  t.strictSame([await both(), await both()], Array(2).fill([401, 200]))
  await writeFile(`${dir}/secret`, `${old.toString('base64')}!`)
  await looks(2)
  t.strictSame(await both(), [401, 200], 'what is no base64 is refused')
})

test('a secret that another issuer has is refused, where a check is opted out of', async (t) => {
  const home = { name: 'home', issuer: 'none', audience: 'none', secretFile: 'hmac.txt' }
  const env = profiles(t, [home, { ...entry, secret: NEXT_SECRET }])
  const { looks, status, reloads } = await start(t, env)
  const { iss, aud, ...nameless } = claims()
  const tokens = [mint(nameless), mint(nameless, {}, NEXT_SECRET), mint(of(), {}, NEXT_SECRET)]
  const all = () => Promise.all(tokens.map(status))
  t.strictSame(await all(), [200, 401, 200])
  await writeFile(`${dirOf(env)}/hmac.txt`, NEXT_SECRET)
  await looks(2)
  t.strictSame(await all(), [200, 401, 200])
  t.equal(await reloads('issuer_key', 'refused'), 1)
})
