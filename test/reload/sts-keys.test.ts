import { rename, writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import t, { type Test } from 'tap'
import { createStsHandler } from '../../sandbox/sts/handler.ts'
import { createWorld, SANDBOX_KEYS } from '../../sandbox/world.ts'
import { listen } from '../helpers/listen.ts'
import { metric } from '../helpers/vending.ts'
import { start } from './harness.ts'

const OLD = SANDBOX_KEYS.testIam
const NEW = { accessKey: 'JDC_FIXTURE_THAT_COMES_NEXT', secretKey: 'FIXTURE_SECRET_THAT_COMES_NEXT' }

/** STS with a second pair of keys of the same sub-user, and files with the first pair. */
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
    JDCLOUD_KEY_CREATED: '2020-01-01',
  }
  const started = await start(t, env, { realSts: true })
  const write = async (file: 'ak' | 'sk', content: string) => {
    await writeFile(`${dir}/${file}~`, content)
    await rename(`${dir}/${file}~`, `${dir}/${file}`)
  }
  const signedBy = () => sts.asked.map(({ accessKey }) => (accessKey === NEW.accessKey ? 'new' : 'old'))
  return { ...started, sts, write, users, signedBy }
}

t.test('a pair of STS keys is tested before it signs for a caller', async (t) => {
  const { sts, write, looks, vend, signedBy, reloads, logs, metrics } = await rotating(t)
  const age = () => metric(metrics, 'oss_vend_sts_key_age_seconds', { target: 'default' })
  t.equal(await vend(), 200)
  t.ok((await age()) > 5 * 365 * 86_400, 'the age of the key is counted from the day in the settings')
  await write('ak', NEW.accessKey)
  await looks(5)
  t.equal(await vend(), 200)
  t.strictSame(signedBy(), ['old', 'old'], 'half of a pair is not tested')
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
  t.ok((await age()) < 600, 'and that of a new key from when it was taken')
  const line = logs.lines().find(({ msg }) => msg === 'a secret has changed and is in use')
  t.match(line, { secret: 'sts_keys', fingerprint: /^[\da-f]{12}$/u, instead: /^[\da-f]{12}$/u })
  t.notMatch(logs.text(), /JDC_|FIXTURE_SECRET|SANDBOXTEST/u)
})

t.test('a pair that STS refuses is not used, and the old one stays', async (t) => {
  const rows = [
    { name: 'a wrong secret', pair: { ...NEW, secretKey: 'FIXTURE_SECRET_OF_ANOTHER' } },
    { name: 'nobody', pair: { accessKey: 'JDC_FIXTURE_NOBODY', secretKey: 'FIXTURE_SECRET_OF_NOBODY' } },
    { name: 'halves of two pairs', pair: { accessKey: OLD.accessKey, secretKey: NEW.secretKey }, asks: true },
    { name: 'of a wrong form', pair: { accessKey: 'JDC\nFIXTURE', secretKey: 'FIXTURE SECRET' }, reason: 'form' },
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
      t.strictSame(signedBy(), ['old', 'new', 'new'], 'a good pair is used after it')
    })
  }
})

t.test('while STS is down the old pair stays, and the new one is tested again', async (t) => {
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

t.test('vends continue during a change of the pair', async (t) => {
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
