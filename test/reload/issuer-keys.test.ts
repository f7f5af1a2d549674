import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { withTokenCacheOnAndOff } from '../helpers/build.ts'
import { issuersFile } from '../helpers/config-faults.ts'
import { claims, keys, mint, pem } from '../helpers/tokens.ts'
import { start } from './harness.ts'

const test = withTokenCacheOnAndOff(t)

const NEXT_SECRET = 'the-secret-that-comes-next-of-more-than-thirty-two-bytes-0123'

test('after a change, only the new HMAC secret verifies tokens', async (t) => {
  const dir = t.testdir({ secret: keys.hmac })
  const path = `${dir}/secret`
  const { looks, status, reloads, logs, app, timers } = await start(t, { JWT_SECRET: '', JWT_SECRET_FILE: path })
  const [old, next] = [mint(claims()), mint(claims(), {}, NEXT_SECRET)]
  t.strictSame([await status(old), await status(next)], [200, 401])
  await writeFile(path, `${NEXT_SECRET}\n`)
  t.strictSame([await status(old), await status(next)], [200, 401], 'not before the next look')
  await looks(2)
  t.strictSame([await status(old), await status(next)], [401, 200])
  t.equal(await reloads('issuer_key', 'taken'), 1)
  t.match(
    logs.lines().find(({ msg }) => msg === 'a secret has changed and is in use'),
    { secret: 'issuer_key', issuer: 'app' },
  )
  await writeFile(path, keys.hmac)
  await looks(2)
  t.strictSame([await status(old), await status(next)], [200, 401], 'and back')
  t.notMatch(logs.text(), new RegExp(`${keys.hmac}|${NEXT_SECRET}`, 'u'))
  await app.close()
  t.equal(timers.running(), 0, 'no timer is running')
})

test('a secret that is too weak is refused, and the old one stays', async (t) => {
  const rows = [
    { name: 'short', secret: 'SENTINEL-short' },
    { name: 'repeated', secret: 'ab'.repeat(40) },
    { name: "the sandbox's", secret: 'sandbox-only-secret-that-everybody-knows-0123456789' },
    { name: 'empty', secret: '', result: 'unreadable' },
  ]
  for (const { name, secret, result = 'refused' } of rows) {
    t.test(name, async (t) => {
      const dir = t.testdir({ secret: keys.hmac })
      const { looks, status, reloads, logs } = await start(t, { JWT_SECRET: '', JWT_SECRET_FILE: `${dir}/secret` })
      await writeFile(`${dir}/secret`, secret)
      await looks(3)
      t.equal(await status(mint(claims())), 200)
      if (secret) t.equal(await status(mint(claims(), {}, secret)), 401)
      t.equal(await reloads('issuer_key', result), 1)
      t.match(logs.text(), `"result":"${result}"`)
      t.notMatch(logs.text(), 'SENTINEL-short')
    })
  }
})

test('after a change, only the new public key verifies tokens, and its kind must stay', async (t) => {
  const dir = t.testdir({ key: pem(keys.p256.publicKey) })
  const path = `${dir}/key`
  const { looks, status, reloads } = await start(t, { JWT_SECRET: '', JWT_PUBLIC_KEY_FILE: path })
  const next = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const [byOld, byNext] = [mint(claims(), { alg: 'ES256' }), mint(claims(), { alg: 'ES256' }, next.privateKey)]
  await looks(5)
  t.equal(await reloads('issuer_key', 'taken'), 0, 'the same key is not a change')
  await writeFile(path, pem(next.publicKey).replaceAll('\n', '\\n'))
  await looks(2)
  t.strictSame([await status(byOld), await status(byNext)], [401, 200])
  const refused = [
    pem(keys.p384.publicKey),
    pem(keys.rsa.publicKey),
    String(keys.p256.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    'not a key',
    keys.hmac,
  ]
  for (const [i, text] of refused.entries()) {
    await writeFile(path, text)
    await looks(2)
    t.equal(await status(byNext), 200)
    t.equal(await reloads('issuer_key', 'refused'), i + 1)
  }
  t.equal(await status(mint(claims(), {}, keys.hmac)), 401)
})

test('each issuer of a file has its own key, which changes without SIGHUP', async (t) => {
  const issuer = (name: string, more: object) => ({
    name,
    issuer: `https://${name}.test`,
    audience: 'https://api.example.test',
    ...more,
  })
  const env = issuersFile(
    t,
    [
      issuer('one', { secretFile: 'hmac.txt' }),
      issuer('two', { publicKeyFile: 'key.pem', algorithms: ['RS256'] }),
      issuer('three', { secret: `${keys.hmac}-three` }),
    ],
    {
      'mine.yaml':
        'description: Nothing.\nallow: { issuer: one }\npolicy:\n  Version: "3"\n  Statement:\n    - { Effect: Allow, Action: "oss:GetObject", Resource: "jrn:oss:*:${account}:${bucket}/x" }\nexamples:\n  - { caller: { sub: a }, can: [GetObject x] }\n',
    },
  )
  const dir = env.JWT_ISSUERS_FILE?.replace('/issuers.yaml', '')
  const { reload, status } = await start(t, env)
  const of = (name: string) => claims({ iss: `https://${name}.test` })
  const all = async () => [
    await status(mint(of('one'))),
    await status(mint(of('one'), {}, NEXT_SECRET)),
    await status(mint(of('two'), { alg: 'RS256' })),
    await status(mint(of('three'), {}, `${keys.hmac}-three`)),
  ]
  t.strictSame(await all(), [200, 401, 200, 200])
  await writeFile(`${dir}/hmac.txt`, NEXT_SECRET)
  await reload()
  t.strictSame(await all(), [401, 200, 200, 200])
  await writeFile(`${dir}/key.pem`, pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey))
  await reload()
  t.strictSame(await all(), [401, 200, 401, 200])
})
