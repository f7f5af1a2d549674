import { generateKeyPairSync } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { createStsHandler } from '../../sandbox/sts/handler.ts'
import { createWorld, SANDBOX_KEYS } from '../../sandbox/world.ts'
import type { Environment } from '../../src/config.ts'
import { build } from '../helpers/build.ts'
import { issuersFile } from '../helpers/config-faults.ts'
import { listen } from '../helpers/listen.ts'
import { manualTimers } from '../helpers/timers.ts'
import { claims, keys, mint, pem } from '../helpers/tokens.ts'

const NEXT_SECRET = 'the-secret-that-comes-next-of-more-than-thirty-two-bytes-0123'
const POLL_MS = 2000

/** The app whose files are looked at when the test says so. */
async function start(t: Test, env: Environment, { realSts = false } = {}) {
  const timers = manualTimers()
  const metrics = new Registry()
  const built = await build(t, { env, realSts, dependencies: { every: timers.every, metrics } })
  await built.app.ready()
  const looks = async (times: number) => {
    for (let i = 0; i < times; i++) await timers.tick(POLL_MS)
  }
  const status = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    return (await built.app.inject({ url: '/v1/policies', headers })).statusCode
  }
  const vend = async () => {
    const headers = { authorization: `Bearer ${mint(claims())}` }
    const payload = { policy: 'user-upload' }
    return (await built.app.inject({ method: 'POST', url: '/v1/credentials', headers, payload })).statusCode
  }
  const reloads = async (secret: string, result: string) => {
    const { values } = (await metrics.getMetricsAsJSON()).find(
      ({ name }) => name === 'oss_vend_secret_reloads_total',
    ) ?? { values: [] }
    return values.find(({ labels }) => labels.secret === secret && labels.result === result)?.value ?? 0
  }
  return { ...built, timers, looks, status, vend, reloads }
}

t.test('an HMAC secret: from the change on the new one alone is good', async (t) => {
  const dir = t.testdir({ secret: keys.hmac })
  const path = `${dir}/secret`
  const { looks, status, reloads, logs, app, timers } = await start(t, { JWT_SECRET: '', JWT_SECRET_FILE: path })
  const [old, next] = [mint(claims()), mint(claims(), {}, NEXT_SECRET)]
  t.strictSame([await status(old), await status(next)], [200, 401])
  await writeFile(path, `${NEXT_SECRET}\n`)
  t.strictSame([await status(old), await status(next)], [200, 401], 'not before it is looked at')
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
  t.equal(timers.running(), 0, 'no timer is left')
})

t.test('a secret that is too weak is refused, and the old one stays', async (t) => {
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

t.test('a public key: the same, and its kind stays', async (t) => {
  const dir = t.testdir({ key: pem(keys.p256.publicKey) })
  const path = `${dir}/key`
  const { looks, status, reloads } = await start(t, { JWT_SECRET: '', JWT_PUBLIC_KEY_FILE: path })
  const next = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const [byOld, byNext] = [mint(claims(), { alg: 'ES256' }), mint(claims(), { alg: 'ES256' }, next.privateKey)]
  await looks(5)
  t.equal(await reloads('issuer_key', 'taken'), 0, 'the key as it was read is no change')
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

t.test('each issuer of a file has its own, and SIGHUP is not waited for', async (t) => {
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
        'description: Nothing.\nallow: { issuer: one }\npolicy:\n  Version: "3"\n  Statement:\n    - { Effect: Allow, Action: "oss:PutObject", Resource: "jrn:oss:*:${account}:${bucket}/x" }\nexamples:\n  - { caller: { sub: a }, can: [PutObject x] }\n',
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

const OLD = SANDBOX_KEYS.testIam
const NEW = { accessKey: 'JDC_FIXTURE_THAT_COMES_NEXT', secretKey: 'FIXTURE_SECRET_THAT_COMES_NEXT' }

/** STS with a second pair of keys of the same sub-user, and files that hold the first. */
async function rotating(t: Test, through: (handler: RequestListener) => RequestListener = (handler) => handler) {
  const dir = t.testdir({ ak: OLD.accessKey, sk: OLD.secretKey })
  const world = createWorld()
  const testIam = world.users.get(OLD.accessKey)
  if (!testIam) throw new Error('no such user')
  const users = new Map([...world.users, [NEW.accessKey, { ...testIam, ...NEW }]])
  const sts = createStsHandler({ ...world, users })
  const env = {
    JDCLOUD_ACCESS_KEY: '',
    JDCLOUD_SECRET_KEY: '',
    JDCLOUD_ACCESS_KEY_FILE: `${dir}/ak`,
    JDCLOUD_SECRET_KEY_FILE: `${dir}/sk`,
    JDCLOUD_STS_ENDPOINT: await listen(t, through(sts)),
  }
  const started = await start(t, env, { realSts: true })
  const write = async (file: 'ak' | 'sk', content: string) => {
    await writeFile(`${dir}/${file}~`, content)
    await rename(`${dir}/${file}~`, `${dir}/${file}`)
  }
  const signedBy = () => sts.asked.map(({ accessKey }) => (accessKey === NEW.accessKey ? 'new' : 'old'))
  return { ...started, sts, write, users, signedBy }
}

t.test('a pair of STS keys is tried before it signs for a caller', async (t) => {
  const { sts, write, looks, vend, signedBy, reloads, logs } = await rotating(t)
  t.equal(await vend(), 200)
  await write('ak', NEW.accessKey)
  await looks(5)
  t.equal(await vend(), 200)
  t.strictSame(signedBy(), ['old', 'old'], 'half of a pair is not tried')
  await write('sk', `${NEW.secretKey}\n`)
  await looks(1)
  t.equal(await vend(), 200)
  await looks(1)
  t.strictSame(signedBy(), ['old', 'old', 'old', 'new'])
  const probe = sts.asked.at(-1)
  t.equal(probe?.roleSessionName, 'oss-vend-key-probe')
  t.equal(probe?.durationSeconds, 3600)
  t.strictSame(JSON.parse(String(probe?.policy)).Statement, [
    {
      Effect: 'Allow',
      Action: ['oss:AbortMultipartUpload'],
      Resource: ['jrn:oss:*:111111111111:test-app/.oss-vend-key-probe'],
    },
  ])
  t.equal(await vend(), 200)
  t.strictSame(signedBy().at(-1), 'new')
  t.equal(await reloads('sts_keys', 'taken'), 1)
  const line = logs.lines().find(({ msg }) => msg === 'a secret has changed and is in use')
  t.match(line, { secret: 'sts_keys', fingerprint: /^[\da-f]{12}$/u, instead: /^[\da-f]{12}$/u })
  t.notMatch(logs.text(), /JDC_|FIXTURE_SECRET|SANDBOXTEST/u)
})

t.test('a pair that STS refuses is not used, and the old one stays', async (t) => {
  const rows = [
    { name: 'a wrong secret', pair: { ...NEW, secretKey: 'FIXTURE_SECRET_OF_ANOTHER' } },
    { name: 'nobody', pair: { accessKey: 'JDC_FIXTURE_NOBODY', secretKey: 'FIXTURE_SECRET_OF_NOBODY' } },
    { name: 'halves of two pairs', pair: { accessKey: OLD.accessKey, secretKey: NEW.secretKey }, asks: true },
    { name: 'out of form', pair: { accessKey: 'JDC\nFIXTURE', secretKey: 'FIXTURE SECRET' }, reason: 'form' },
  ]
  for (const { name, pair, asks, reason = 'APIGW_' } of rows) {
    t.test(name, async (t) => {
      const { write, looks, vend, reload, reloads, logs, signedBy } = await rotating(t)
      await write('ak', pair.accessKey)
      await write('sk', pair.secretKey)
      await (asks ? reload() : looks(2))
      t.equal(await reloads('sts_keys', 'refused'), 1)
      t.match(logs.text(), '"result":"refused"')
      t.match(logs.text(), `"reason":"${reason}`)
      t.notMatch(logs.text(), /JDC_|FIXTURE_SECRET/u)
      t.equal(await vend(), 200)
      t.strictSame(signedBy(), ['old'])

      await write('ak', NEW.accessKey)
      await write('sk', NEW.secretKey)
      await looks(2)
      t.equal(await vend(), 200)
      t.strictSame(signedBy(), ['old', 'new', 'new'], 'a good one comes after it')
    })
  }
})

t.test('while STS cannot be asked the old pair stays, and the new one is tried again', async (t) => {
  let down = false
  const { write, looks, reload, reloads, signedBy, vend } = await rotating(t, (handler) => (request, response) => {
    if (down) response.writeHead(503).end()
    else handler(request, response)
  })
  down = true
  await write('ak', NEW.accessKey)
  await write('sk', NEW.secretKey)
  await looks(2)
  t.equal(await reloads('sts_keys', 'unavailable'), 1)
  down = false
  t.equal(await vend(), 200)
  t.strictSame(signedBy(), ['old'])
  await reload()
  t.strictSame(signedBy(), ['old', 'new'])
  t.equal(await reloads('sts_keys', 'taken'), 1)
})

t.test('vends go on while the pair is changed under them', async (t) => {
  const { write, reload, vend, signedBy } = await rotating(t)
  const vends: Promise<number>[] = []
  let pair: Readonly<{ accessKey: string; secretKey: string }> = NEW
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 10; i++) vends.push(vend())
    await write('ak', pair.accessKey)
    vends.push(vend())
    await write('sk', pair.secretKey)
    await reload()
    pair = pair === NEW ? OLD : NEW
  }
  t.strictSame([...new Set(await Promise.all(vends))], [200])
  t.strictSame([...new Set(signedBy())].sort(), ['new', 'old'])
})

t.test('keys that stand in the environment are not looked for in files', async (t) => {
  const { timers, reload } = await start(t, {}, { realSts: true })
  t.equal(timers.running(POLL_MS), 0)
  await reload()
})
