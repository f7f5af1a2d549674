import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { build } from '../helpers/build.ts'
import { manualClock } from '../helpers/clock.ts'
import { claims, mint } from '../helpers/tokens.ts'
import { countingSource, denied } from '../helpers/vending.ts'
import { setUpShared } from '../vending/shared-session-harness.ts'

const MINUTE_MS = 60_000

/** Templates that ship, with sessions of up to twelve hours. */
function policiesOf(t: Test): string {
  const dir = t.testdir()
  for (const file of ['user-upload.yaml', 'album-upload.yaml']) {
    const text = readFileSync(new URL(`../../policies/${file}`, import.meta.url), 'utf8')
    writeFileSync(join(dir, file), text.replace('durationSeconds: 3600', 'durationSeconds: 43200'))
  }
  return dir
}

/** The whole service with its default limit of new sessions, on a clock of the test's own. */
async function start(t: Test, answer?: () => unknown) {
  const clock = manualClock()
  const sts = countingSource(clock.now, answer)
  const env = {
    RATE_LIMIT_NEW_SESSIONS_PER_MINUTE: '',
    JDCLOUD_MAX_SESSION_SECONDS: '43200',
    STS_MAX_RPS: '10000',
    POLICIES_DIR: policiesOf(t),
  }
  const { app, logs } = await build(t, { env, dependencies: { clock, source: sts.source } })
  async function ask(body: Readonly<Record<string, unknown>>, token: Readonly<Record<string, unknown>> = {}) {
    const response = await app.inject({
      method: 'POST',
      url: '/v1/credentials',
      headers: { authorization: `Bearer ${mint(claims(token))}` },
      payload: { policy: 'user-upload', ...body },
    })
    const { code, detail } = response.json()
    return { status: response.statusCode, code, detail, retryAfter: response.headers['retry-after'] }
  }
  return { clock, sts, ask, logs }
}

const album = (n: number) => ({ policy: 'album-upload', params: { album: `album-${n}` } })

t.test('one caller causes 20 calls to STS a minute', async (t) => {
  const rows: {
    name: string
    body: (n: number) => Readonly<Record<string, unknown>>
    token?: (n: number) => Readonly<Record<string, unknown>>
    /** Lets so much time pass after each request. */
    pauseMs?: number
    answer?: () => unknown
    calls: number
    want: number
  }[] = [
    { name: 'going through values of a parameter', body: album, calls: 20, want: 429 },
    { name: 'going through lengths', body: (n) => ({ durationSeconds: 3600 + n }), calls: 20, want: 429 },
    {
      name: 'going through restrictions',
      body: (n) => ({ restrictTo: { prefix: `users/alice/${n}/` } }),
      calls: 20,
      want: 429,
    },
    {
      name: 'going through both',
      body: (n) => ({ ...album(n % 5), durationSeconds: 3600 + Math.floor(n / 5) }),
      calls: 20,
      want: 429,
    },
    {
      name: 'with a token of its own for each request',
      body: album,
      token: (n) => ({ jti: `token-${n}`, email: `${n}@example.com` }),
      calls: 20,
      want: 429,
    },
    {
      name: 'where STS refuses each',
      body: album,
      answer: () => Promise.reject(denied()),
      calls: 20,
      want: 429,
    },
    { name: 'asking for the same over and over is one call', body: () => album(1), calls: 1, want: 200 },
    {
      name: 'asking for more validity than is left is a call only when there is more to be had',
      body: (n) => ({ minValiditySeconds: 900 + 10 * (n % 90) }),
      calls: 1,
      want: 200,
    },
    { name: 'asking for fresh ones of the same', body: () => ({ fresh: true }), calls: 20, want: 429 },
    { name: 'and 20 more in the next minute', body: album, pauseMs: 3100, calls: 40, want: 200 },
  ]
  for (const { name, body, token = () => ({}), pauseMs = 0, answer, calls, want } of rows) {
    t.test(name, async (t) => {
      const { clock, sts, ask } = await start(t, answer)
      const answers: Awaited<ReturnType<typeof ask>>[] = []
      for (let n = 0; n < 40; n++) {
        answers.push(await ask(body(n), token(n)))
        await clock.advance(pauseMs)
      }
      t.equal(sts.asked.length, calls)
      t.equal(answers.at(-1)?.status, want)
      if (want === 429) {
        t.match(answers.at(-1), {
          code: 'rate_limited',
          detail: 'this caller has asked for too many new sessions',
          retryAfter: '60',
        })
      }
      const other = await ask(album(1), { sub: 'somebody-else' })
      t.equal(other.status, answer ? 502 : 200, 'others are not limited by it')
    })
  }
})

t.test('sessions that the caller has are served beyond the limit, and renewed', async (t) => {
  const { clock, sts, ask } = await start(t)
  for (let n = 0; n < 20; n++) t.equal((await ask(album(n))).status, 200)
  t.equal((await ask(album(20))).status, 429)
  for (let n = 0; n < 20; n++) t.equal((await ask(album(n))).status, 200)
  await clock.advance(7.5 * 60 * MINUTE_MS)
  for (let n = 20; n < 40; n++) t.equal((await ask(album(n))).status, 200)
  for (let n = 0; n < 20; n++) t.equal((await ask(album(n))).status, 200)
  await clock.advance(0)
  t.equal(sts.asked.length, 60, '20 of these are renewals in the background')
})

t.test('the caller is in no log line of a refusal but as before', async (t) => {
  const { ask, logs } = await start(t)
  for (let n = 0; n < 21; n++) await ask(album(n), { sub: 'SENTINEL-subject' })
  const refused = logs.lines().filter(({ msg }) => msg === 'refused')
  t.equal(refused.length, 1)
  t.match(refused, [{ code: 'rate_limited', limit: 'new_sessions' }])
  t.notMatch(JSON.stringify(refused), 'SENTINEL-subject')
})

t.test('a caller over the limit takes nobody along who waits for the same session', async (t) => {
  // No session is kept that is so short, so each signature is a call that counts for its caller.
  const { sign, clock } = setUpShared(t, manualClock(), { minSessionSeconds: 900, maxSessionSeconds: 900 })
  await sign('mallory')
  await clock.advance(1)
  const [mallory, alice, bob] = await Promise.allSettled(['mallory', 'alice', 'bob'].map((sub) => sign(sub)))
  t.match(mallory, { status: 'rejected', reason: { code: 'rate_limited' } })
  t.match(alice, { status: 'fulfilled' })
  t.match(bob, { status: 'fulfilled' }, 'he joins the call of alice')
})
