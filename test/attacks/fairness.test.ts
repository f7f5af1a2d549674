import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { VendError } from '../../src/errors.ts'
import { sessionMetrics } from '../../src/observe/sessions.ts'
import { createSessions } from '../../src/sessions/sessions.ts'
import type { CredentialSource } from '../../src/sts/credentials.ts'
import { manualClock } from '../helpers/clock.ts'
import { credentials, grantOf, keyOf, metric, needsOf, onlyTarget, quietLogger } from '../helpers/vending.ts'

const HOUR_MS = 3_600_000
/** The defaults, but for the limit of each caller. */
const OPTIONS = {
  maxEntries: 100_000,
  maxBytes: 1e8,
  minValiditySeconds: 900,
  deadlineMs: 5000,
  maxRps: 100,
  connections: 32,
  timeoutMs: 4000,
}

type Outcome = Readonly<{ code: string; retryAfterSeconds: number; ms: number }>

/** A service whose STS takes its time over each call; `tookMs` can be changed while it runs. */
function setUp(t: Test, { newSessionsPerMinute = 20, tookMs = 1000 } = {}) {
  const clock = manualClock()
  const metrics = new Registry()
  let seed = 0
  // Spread evenly, and the same in each run.
  const random = () => (seed = (seed + 0.618034) % 1)
  const sts = { calls: 0, running: 0, tookMs }
  const source: CredentialSource = {
    assumeRole: (_request, { signal } = {}) =>
      new Promise((resolve, reject) => {
        sts.calls++
        sts.running++
        const number = sts.calls
        const cancel = clock.after(sts.tookMs, () => {
          sts.running--
          resolve(credentials(number, clock.now() + HOUR_MS))
        })
        signal?.addEventListener('abort', () => {
          cancel()
          reject(new VendError('upstream_unavailable'))
        })
      }),
    close: async () => {},
  }
  const logger = quietLogger()
  const dependencies = { upstreams: onlyTarget(source), keyOf, clock, logger, metrics: sessionMetrics(metrics), random }
  const { session, close } = createSessions({ ...OPTIONS, newSessionsPerMinute }, dependencies)
  t.teardown(close)
  const sleep = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve))

  /** One request of a caller for one of the things that they may have. */
  async function ask(subject: string, thing = ''): Promise<Outcome> {
    const began = clock.monotonic()
    const needs = needsOf(began + OPTIONS.deadlineMs, { owner: { issuer: 'app', subject } })
    const ended = (code: string, retryAfterSeconds = 0) => ({
      code,
      retryAfterSeconds,
      ms: clock.monotonic() - began,
    })
    try {
      await session(grantOf(JSON.stringify([subject, thing])), needs)
      return ended('ok')
    } catch (error) {
      if (!(error instanceof VendError)) throw error
      return ended(error.code, error.retryAfterSeconds)
    }
  }

  /** Asks until served, each time after Retry-After; all that was answered. */
  async function persist(subject: string, thing = ''): Promise<Outcome[]> {
    for (const answers: Outcome[] = []; ; ) {
      const answer = await ask(subject, thing)
      answers.push(answer)
      if (answer.code === 'ok') return answers
      await sleep(answer.retryAfterSeconds * 1000)
    }
  }

  /** Lets time pass until it is so; how many milliseconds that took. */
  async function until(promise: Promise<unknown>, mostMs = 120_000): Promise<number> {
    let done = false
    promise.finally(() => {
      done = true
    })
    const began = clock.monotonic()
    while (!done && clock.monotonic() < began + mostMs) await clock.advance(50)
    return clock.monotonic() - began
  }

  return { clock, sts, logger, metrics, ask, persist, until, sleep }
}

const people = (count: number, what: string) => Array.from({ length: count }, (_, n) => `${what}-${n}`)
const flat = (answers: readonly Outcome[][]) => answers.flat()

t.test(
  'a crowd of first-time callers who keep to Retry-After is served about as fast as connections allow',
  async (t) => {
    const rows = [
      { name: 'STS is known to be slow', warm: true },
      { name: 'nothing is known of STS', warm: false },
    ]
    for (const { name, warm } of rows) {
      t.test(name, async (t) => {
        const { sts, logger, metrics, persist, until } = setUp(t)
        if (warm) await until(persist('first'))
        const crowd = Promise.all(people(600, 'caller').map((subject) => persist(subject)))
        const tookMs = await until(crowd)
        const answers = flat(await crowd)
        const best = (600 / OPTIONS.connections) * 1000
        t.ok(tookMs <= 1.3 * best, `all are served within ${tookMs} ms; the connections allow ${best} ms`)
        t.equal(sts.calls, warm ? 601 : 600, 'one call each')
        const codes = new Set(answers.map(({ code }) => code))
        t.strictSame([...codes].toSorted(), ['ok', 'upstream_unavailable'], 'nobody is told that STS did not answer')
        t.ok(answers.every(({ code, retryAfterSeconds }) => code === 'ok' || retryAfterSeconds >= 1))
        t.equal(await metric(metrics, 'oss_vend_sts_shed_total', { reason: 'breaker' }), 0)
        t.strictSame(logger.lines, [], 'the breaker stays closed')
      })
    }
  },
)

t.test('a healthy STS is never taken for an ill one, however many callers run out of time', async (t) => {
  const rows = [
    { name: '160 at once', callers: 160, tookMs: 1000 },
    { name: '500 at once', callers: 500, tookMs: 1000 },
    { name: 'each call takes most of a deadline', callers: 160, tookMs: 3900 },
    { name: 'STS becomes slower meanwhile', callers: 160, tookMs: 300, laterMs: 3000 },
  ]
  for (const { name, callers, tookMs, laterMs } of rows) {
    t.test(name, async (t) => {
      const { sts, logger, metrics, ask, persist, until, clock } = setUp(t, { tookMs })
      if (laterMs) {
        await until(Promise.all(people(OPTIONS.connections, 'before').map((subject) => persist(subject))))
        sts.tookMs = laterMs
      }
      const all = Promise.all(people(callers, 'caller').map((subject) => ask(subject)))
      await until(all)
      const answers = await all
      const told = answers.filter(({ code }) => code !== 'ok')
      t.ok(told.length > 0, 'some are told to come again')
      t.strictSame([...new Set(told.map(({ code }) => code))], ['upstream_unavailable'])
      t.ok(told.every(({ retryAfterSeconds }) => retryAfterSeconds >= 1 && retryAfterSeconds <= 60))
      t.ok(answers.every(({ ms }) => ms <= OPTIONS.deadlineMs))
      t.equal(await metric(metrics, 'oss_vend_sts_breaker_state', { state: 'closed' }), 1)
      t.strictSame(logger.lines, [])
      await clock.advance(OPTIONS.timeoutMs)
      t.equal(await metric(metrics, 'oss_vend_sts_calls_total', { outcome: 'ok' }), sts.calls, 'no call is cut')
    })
  }
})

t.test('those who are turned away together are told different seconds', async (t) => {
  const { persist, until, ask } = setUp(t)
  await until(persist('first'))
  const all = Promise.all(people(600, 'caller').map((subject) => ask(subject)))
  await until(all)
  const seconds = new Map<number, number>()
  for (const { code, retryAfterSeconds } of await all) {
    if (code !== 'ok') seconds.set(retryAfterSeconds, (seconds.get(retryAfterSeconds) ?? 0) + 1)
  }
  t.ok(seconds.size >= 10)
  t.ok(Math.max(...seconds.values()) <= 2 * OPTIONS.connections, [...seconds.values()].join(' '))
})

t.test('asking again too early gains nothing', async (t) => {
  const { ask, persist, until, clock } = setUp(t)
  await until(persist('first'))
  void people(600, 'caller').map((subject) => persist(subject))
  const first = ask('hasty')
  await clock.advance(0)
  const told: number[] = [(await first).retryAfterSeconds]
  for (let second = 1; second <= 3; second++) {
    await clock.advance(1000)
    const again = ask('hasty')
    await clock.advance(0)
    told.push(second + (await again).retryAfterSeconds)
  }
  t.ok(Math.max(...told) - Math.min(...told) <= 1, `the same instant each time: ${told.join(' ')}`)
  await clock.advance(60_000)
})

t.test('one caller cannot make many calls to STS', async (t) => {
  const rows: { name: string; want: number; max?: number; thing: (n: number) => string }[] = [
    { name: 'by going through values of a parameter', want: 20, thing: (n) => `album-${n}` },
    { name: 'by going through durations', want: 20, thing: (n) => `${3600 + n} s` },
    { name: 'unless there is no limit', want: 120, max: 0, thing: (n) => `album-${n}` },
    { name: 'but may ask for the same thing over and over', want: 1, thing: () => 'album' },
  ]
  for (const { name, want, max = 20, thing } of rows) {
    t.test(name, async (t) => {
      const { sts, ask, until, clock, metrics } = setUp(t, { newSessionsPerMinute: max, tookMs: 100 })
      const codes = new Map<string, number>()
      let waited = 0
      for (let n = 0; n < 120; n++) {
        const asked = ask('one', thing(n))
        await until(asked)
        const { code, retryAfterSeconds } = await asked
        codes.set(code, (codes.get(code) ?? 0) + 1)
        waited = Math.max(waited, retryAfterSeconds)
      }
      t.equal(sts.calls, want)
      const refused = 120 - (codes.get('ok') ?? 0)
      t.equal(codes.get('rate_limited') ?? 0, refused)
      t.equal(await metric(metrics, 'oss_vend_new_sessions_refused_total'), refused)
      t.equal(refused > 0, want === 20)
      const other = ask('another')
      await until(other)
      t.equal((await other).code, 'ok', 'others are served')
      await clock.advance(waited * 1000)
      const later = ask('one', 'later')
      await until(later)
      t.equal((await later).code, 'ok', 'and so is this one, after Retry-After')
    })
  }
})

t.test('callers within their limits cannot keep others out', async (t) => {
  const rows = [
    { name: 'one with 120 things at once', hogs: 1, things: 120, max: 0 },
    { name: '30 with 20 things each', hogs: 30, things: 20, max: 20 },
    { name: '120 with 20 things each', hogs: 120, things: 20, max: 20 },
    { name: '120 with 5 things each, without a limit', hogs: 120, things: 5, max: 0 },
  ]
  for (const { name, hogs, things, max } of rows) {
    t.test(name, async (t) => {
      const { ask, persist, until, clock, sleep } = setUp(t, { newSessionsPerMinute: max })
      await until(persist('first'))
      // They ask again at once when they are served, and each second when they are not.
      const hog = async (subject: string, line: number) => {
        for (let n = 0; n < 30; n++) {
          const { code } = await ask(subject, `${line}-${n}`)
          if (code !== 'ok') await sleep(1000)
        }
      }
      for (const subject of people(hogs, 'hog')) for (let line = 0; line < things; line++) void hog(subject, line)
      await clock.advance(3000)
      const newcomers = Promise.all(people(15, 'newcomer').map((subject) => persist(subject)))
      const tookMs = await until(newcomers, 60_000)
      const tries = (await newcomers).map((answers) => answers.length)
      t.ok(Math.max(...tries) <= 2, `what Retry-After says holds: ${tries.join(' ')} tries`)
      t.ok(tookMs <= 15_000, `${tookMs} ms`)
    })
  }
})
