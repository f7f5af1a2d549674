import t, { type Test } from 'tap'
import { fromOssVend } from '../../examples/node/from-oss-vend.ts'
import { listen } from '../helpers/listen.ts'

const MINUTE = 60_000
const LIFE_S = 3600

/** A provider before a service that numbers its credentials, and that can be told to fail. */
async function start(t: Test) {
  const asked: { authorization: string | undefined; body: unknown }[] = []
  let at = 1_000_000
  let failing: { status: number; body: string } | undefined
  const url = await listen(t, async (req, res) => {
    const body = Buffer.concat(await req.toArray()).toString()
    asked.push({ authorization: req.headers.authorization, body: JSON.parse(body) })
    res.statusCode = failing?.status ?? 200
    const credentials = {
      accessKey: `key-${asked.length}`,
      secretKey: 'secret',
      sessionToken: 'session',
      // Wrong on purpose: nothing may depend on it.
      expiration: '2001-01-01T00:00:00Z',
      expiresInSeconds: LIFE_S,
    }
    res.end(failing?.body ?? JSON.stringify({ credentials }))
  })
  const provider = fromOssVend({
    url,
    policy: 'album-upload',
    params: { album: 'trip' },
    token: async () => 'the-token',
    now: () => at,
  })
  return {
    asked,
    provider,
    key: async () => (await provider()).accessKeyId,
    advance(ms: number) {
      at += ms
    },
    fail(failure: typeof failing) {
      failing = failure
    },
  }
}

t.test('it asks as the service expects, and keeps what it is given', async (t) => {
  const { asked, provider } = await start(t)
  const before = Date.now()
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = await provider()
  t.strictSame([accessKeyId, secretAccessKey, sessionToken], ['key-1', 'secret', 'session'])
  t.ok(Math.abs(Number(expiration) - before - LIFE_S * 1000) < MINUTE, 'by the clock of this device')
  await provider()
  t.strictSame(asked, [
    { authorization: 'Bearer the-token', body: { policy: 'album-upload', params: { album: 'trip' } } },
  ])
})

t.test('concurrent callers share one request', async (t) => {
  const { asked, key } = await start(t)
  t.strictSame(new Set(await Promise.all(Array.from({ length: 50 }, key))), new Set(['key-1']))
  t.equal(asked.length, 1)
})

t.test('it renews ten minutes before the end, and nobody else waits for that', async (t) => {
  const { asked, key, advance } = await start(t)
  await key()
  advance(49 * MINUTE)
  t.equal(await key(), 'key-1')
  advance(2 * MINUTE)
  t.strictSame(await Promise.all([key(), key(), key()]), ['key-2', 'key-1', 'key-1'])
  t.equal(await key(), 'key-2')
  t.equal(asked.length, 2)
})

t.test('while renewing fails, it uses what it has, and tries again every 30 seconds', async (t) => {
  const { asked, key, advance, fail } = await start(t)
  await key()
  fail({ status: 503, body: '<h1>' })
  advance(51 * MINUTE)
  for (let i = 0; i < 5; i++) t.equal(await key(), 'key-1')
  t.equal(asked.length, 2)
  advance(MINUTE)
  t.equal(await key(), 'key-1')
  t.equal(asked.length, 3)
  advance(7.5 * MINUTE)
  await t.rejects(key(), { message: 'oss-vend answers 503: not a problem document' }, 'until their last minute')
  fail(undefined)
  t.equal(await key(), 'key-5')
})

t.test('it says why it was refused', async (t) => {
  const { key, fail } = await start(t)
  const problem = { code: 'policy_not_allowed', title: 'Not for you', requestId: 'r-1' }
  fail({ status: 403, body: JSON.stringify(problem) })
  await t.rejects(key(), { message: 'oss-vend answers 403: policy_not_allowed, Not for you (request r-1)' })
  fail({ status: 403, body: JSON.stringify({ ...problem, detail: 'claim "scope"' }) })
  await t.rejects(key(), { message: 'oss-vend answers 403: policy_not_allowed, claim "scope" (request r-1)' })
})
