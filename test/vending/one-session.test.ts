import t from 'tap'
import { systemClock } from '../../src/lib/clock.ts'
import { build } from '../helpers/build.ts'
import { manualClock, slowClock } from '../helpers/clock.ts'
import { needsRedis, redisServer } from '../helpers/redis.ts'
import { claims, mint } from '../helpers/tokens.ts'
import { countingSource } from '../helpers/vending.ts'
import { setUpShared, signForEach } from './shared-session-harness.ts'

const AES_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => 5 * index ** 2)).toString('base64')

t.test('5,000 callers cause one call to STS', async (t) => {
  const { asked, sign } = setUpShared(t, { ...manualClock(), ...systemClock() })
  t.equal(await signForEach(sign, 5000), 5000)
  t.equal(asked.length, 1)
  t.match(asked[0], { roleSessionName: 'mine.signed-writes' })
})

t.test('each template, and reads and writes, have one call a session', async (t) => {
  const { clock, asked, sign } = setUpShared(t)
  const all = () =>
    Promise.all(
      Array.from({ length: 50 }, (_, i) => [
        sign(`user-${i}`),
        sign(`user-${i}`, 'files'),
        sign(`user-${i}`, 'files', 'GetObject'),
      ]).flat(),
    )
  await all()
  t.strictSame(asked.map(({ roleSessionName }) => roleSessionName).sort(), [
    'files.signed-reads',
    'files.signed-writes',
    'mine.signed-writes',
  ])
  await clock.advance(1_700_000)
  await all()
  t.equal(asked.length, 3, 'in the first half of the session')
  await clock.advance(300_000)
  const { life } = (await all())[0] ?? {}
  t.equal(life?.seconds, 900)
  await clock.advance(0)
  t.equal(asked.length, 6, 'renewed once each, in the background')
})

t.test('two replicas and a Redis have one call', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const { asked, source } = countingSource(Date.now)
  const env = { REDIS_URL: url, CACHE_ENCRYPTION_KEY: AES_KEY }
  const replicas = await Promise.all([1, 2].map(() => build(t, { env, dependencies: { source, clock: slowClock() } })))
  const ask = (sub: string) => ({
    method: 'POST' as const,
    url: '/v1/presigned-urls',
    headers: { authorization: `Bearer ${mint(claims({ sub }))}` },
    payload: { policy: 'user-upload', operation: 'PutObject', key: `users/${sub}/a` },
  })
  const answers = await Promise.all(replicas.flatMap(({ app }) => ['a', 'b', 'c'].map((sub) => app.inject(ask(sub)))))
  for (const { statusCode, body } of answers) {
    t.equal(statusCode, 200)
    t.match(body, 'X-Amz-Security-Token=token-1')
  }
  t.equal(asked.length, 1)
})
