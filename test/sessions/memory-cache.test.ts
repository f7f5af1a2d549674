import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { sessionMetrics } from '../../src/observe/sessions.ts'
import { createSessions, type SessionOptions } from '../../src/sessions/sessions.ts'
import type { CredentialSource } from '../../src/sts/credentials.ts'
import { type ManualClock, manualClock, settle } from '../helpers/clock.ts'
import {
  countingSource,
  credentials,
  denied,
  failure,
  grantOf,
  heldSource,
  keyOf,
  metric,
  needsOf,
  onlyTarget,
  quietLogger,
  throttled,
  timedOut,
} from '../helpers/vending.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** All levels but Redis, on a clock of the test's own, with jitter at its middle. */
function setUp(t: Test, clock: ManualClock, source: CredentialSource, options: Partial<SessionOptions> = {}) {
  const metrics = new Registry()
  const sessions = createSessions(
    {
      maxEntries: 1000,
      maxBytes: 10_000_000,
      minValiditySeconds: 900,
      deadlineMs: 5000,
      maxRps: 1000,
      connections: 8,
      timeoutMs: 4000,
      newSessionsPerMinute: 0,
      ...options,
    },
    {
      upstreams: onlyTarget(source),
      keyOf,
      clock,
      logger: quietLogger(),
      metrics: sessionMetrics(metrics),
      random: () => 0.5,
    },
  )
  const find = async (
    key = 'alice',
    { validityMs = 15 * MINUTE, deadlineMs = 5000, durationSeconds = 3600, fresh = false } = {},
  ) => {
    const needs = needsOf(clock.monotonic() + deadlineMs, { validityMs, fresh })
    const { accessKey, from } = await sessions.session(grantOf(key, { durationSeconds }), needs)
    return `${accessKey} ${from}`
  }
  t.teardown(async () => {
    await sessions.close()
    if (clock.timers() > 0) throw new Error('a timer is left')
  })
  const looks = (result: string) => metric(metrics, 'oss_vend_cache_lookups_total', { result })
  const refreshes = (result: string) => metric(metrics, 'oss_vend_cache_refreshes_total', { result })
  return { find, close: sessions.close, looks, refreshes }
}

t.test('a session is got once and then served, each grant its own', async (t) => {
  const clock = manualClock()
  const sts = countingSource(clock.now)
  const { find, looks } = setUp(t, clock, sts.source)
  t.equal(await find(), 'access-1 sts')
  t.equal(await find(), 'access-1 cache')
  t.equal(await find('bob'), 'access-2 sts')
  t.equal(await find(), 'access-1 cache')
  t.strictSame([await looks('hit'), await looks('miss'), await looks('joined')], [2, 2, 0])
  t.equal(clock.timers(), 0)
})

t.test('ten thousand at once are one call', async (t) => {
  const clock = manualClock()
  const { asked, source } = heldSource()
  const { find, looks } = setUp(t, clock, source)
  const all = Array.from({ length: 10_000 }, () => find())
  await settle()
  t.equal(asked.length, 1)
  asked[0]?.pay(credentials(1, clock.now() + HOUR))
  t.strictSame([...new Set(await Promise.all(all))], ['access-1 sts'])
  t.strictSame([await looks('miss'), await looks('joined')], [1, 9999])
})

t.test("a failure is everybody's who waited, and nobody's after", async (t) => {
  const clock = manualClock()
  const sts = countingSource(clock.now, (call) => call === 1 && Promise.reject(timedOut()))
  const { find } = setUp(t, clock, sts.source)
  t.strictSame(await Promise.all([failure(find()), failure(find())]), [
    { code: 'upstream_timeout', retryAfterSeconds: 1 },
    { code: 'upstream_timeout', retryAfterSeconds: 1 },
  ])
  t.equal(await find(), 'access-2 sts')
})

t.test('a refusal is remembered for three seconds, and for its grant alone', async (t) => {
  const clock = manualClock()
  let refuse = true
  const sts = countingSource(clock.now, () => refuse && Promise.reject(denied()))
  const { find } = setUp(t, clock, sts.source)
  for (let i = 0; i < 100; i++) t.strictSame(await failure(find()), { code: 'upstream_denied' })
  t.equal(sts.asked.length, 1)
  refuse = false
  t.equal(await find('bob'), 'access-2 sts')
  await clock.advance(2999)
  t.strictSame(await failure(find()), { code: 'upstream_denied' })
  await clock.advance(1)
  t.equal(await find(), 'access-3 sts')
})

t.test('from half of a session on the next is got in the background, the old one served meanwhile', async (t) => {
  const clock = manualClock()
  const { asked, source } = heldSource()
  const { find, refreshes } = setUp(t, clock, source)
  const first = find()
  await settle()
  asked[0]?.pay(credentials(1, clock.now() + HOUR))
  await first
  await clock.advance(32 * MINUTE)
  await find()
  t.equal(asked.length, 1, 'half, and with this jitter 5 % more')
  await clock.advance(2 * MINUTE)
  for (let i = 0; i < 10; i++) t.equal(await find(), 'access-1 cache')
  await settle()
  t.equal(asked.length, 2)
  asked[1]?.pay(credentials(2, clock.now() + HOUR))
  await settle()
  t.equal(await find(), 'access-2 cache')
  t.equal(await refreshes('ok'), 1)
})

t.test('sessions that began together are not renewed together', async (t) => {
  let seed = 0
  const clock = manualClock()
  const sts = countingSource(clock.now)
  const random = () => (seed = (seed + 0.618034) % 1)
  const options = {
    maxEntries: 1000,
    maxBytes: 1e7,
    minValiditySeconds: 900,
    deadlineMs: 5000,
    maxRps: 1000,
    connections: 200,
    timeoutMs: 4000,
    newSessionsPerMinute: 0,
  }
  const dependencies = {
    upstreams: onlyTarget(sts.source),
    keyOf,
    clock,
    logger: quietLogger(),
    metrics: sessionMetrics(new Registry()),
    random,
  }
  const { session, close } = createSessions(options, dependencies)
  const all = () =>
    Array.from({ length: 100 }, (_, i) => session(grantOf(`key-${i}`), needsOf(clock.monotonic() + 5000)))
  const first = Promise.all(all())
  await clock.advance(1000)
  await first
  const renewed: number[] = []
  for (let minute = 29; minute <= 37; minute++) {
    await clock.advance(minute * MINUTE - clock.monotonic())
    const before = sts.asked.length
    await Promise.all(all())
    await clock.advance(1000)
    renewed.push(sts.asked.length - before)
  }
  t.equal(
    renewed.reduce((sum, one) => sum + one, 0),
    100,
  )
  t.ok(Math.max(...renewed) < 30, renewed.join(' '))
  await close()
})

t.test('a refresh that fails hurts nobody, and is not tried by each request', async (t) => {
  const clock = manualClock()
  let ill = false
  const sts = countingSource(
    () => clock.now(),
    () => ill && Promise.reject(throttled()),
  )
  const { find, refreshes } = setUp(t, clock, sts.source)
  await find()
  ill = true
  await clock.advance(34 * MINUTE)
  for (let i = 0; i < 100; i++) t.equal(await find(), 'access-1 cache')
  t.equal(sts.asked.length, 2)
  t.equal(await refreshes('failed'), 1)
  await clock.advance(10_000)
  await find()
  await settle()
  t.equal(sts.asked.length, 3, 'ten seconds later')
  await clock.advance(11 * MINUTE - 10_000)
  t.equal(await find(), 'access-1 cache', 'until the session has 15 minutes left')
  await clock.advance(1)
  const refused = failure(find())
  await clock.advance(1000)
  t.match(await refused, { code: 'upstream_unavailable' }, 'and not a moment longer')
  ill = false
  await clock.advance(5000)
  t.match(await find(), / sts$/u)
})

t.test('what somebody needs more of is got, and then serves all', async (t) => {
  const clock = manualClock()
  const sts = countingSource(clock.now)
  const { find } = setUp(t, clock, sts.source)
  await find()
  await clock.advance(31 * MINUTE)
  t.equal(await find('alice', { validityMs: 29 * MINUTE }), 'access-1 cache')
  t.equal(await find('alice', { validityMs: 30 * MINUTE }), 'access-2 sts')
  t.equal(await find(), 'access-2 cache')
})

t.test('a session that is shorter than anybody may have is not handed out', async (t) => {
  const clock = manualClock()
  const short: CredentialSource = {
    assumeRole: async () => credentials(1, clock.now() + 14 * MINUTE),
    close: async () => {},
  }
  const { find } = setUp(t, clock, short)
  t.strictSame(await failure(find()), { code: 'upstream_unavailable', retryAfterSeconds: 1 })
})

t.test('an STS that pays out shorter sessions than asked for is not asked all the time', async (t) => {
  const clock = manualClock()
  let calls = 0
  const half: CredentialSource = {
    assumeRole: async () => credentials(++calls, clock.now() + 20 * MINUTE),
    close: async () => {},
  }
  const { find } = setUp(t, clock, half)
  for (let i = 0; i < 100; i++) {
    await find()
    await settle()
  }
  t.equal(calls, 1)
})

t.test('a caller who can wait less than others is told to come again, and the others are served', async (t) => {
  const clock = manualClock()
  const { asked, source } = heldSource()
  const { find } = setUp(t, clock, source)
  const [patient, hasty] = [find(), failure(find('alice', { deadlineMs: 900 }))]
  await clock.advance(900)
  t.strictSame(await hasty, { code: 'upstream_unavailable', retryAfterSeconds: 1 })
  asked[0]?.pay(credentials(1, clock.now() + HOUR))
  t.equal(await patient, 'access-1 sts')
  const alone = failure(find('bob', { deadlineMs: 900 }))
  await clock.advance(900)
  t.strictSame(await alone, { code: 'upstream_unavailable', retryAfterSeconds: 1 })
  asked[1]?.pay(credentials(2, clock.now() + HOUR))
  await settle()
  t.equal(await find('bob'), 'access-2 cache', 'a session that arrives after its caller has left is kept')
  t.equal(asked.length, 2)
})

t.test('a caller whose time ends as a refresh gives up is told to come again', async (t) => {
  const clock = manualClock()
  const { asked, source } = heldSource()
  const { find } = setUp(t, clock, source)
  const first = find()
  await settle()
  asked[0]?.pay(credentials(1, clock.now() + HOUR))
  await first
  await clock.advance(40 * MINUTE)
  await find()
  const needy = failure(find('alice', { validityMs: 30 * MINUTE, deadlineMs: 0 }))
  await settle()
  asked[1]?.fail(throttled(9))
  t.strictSame(await needy, { code: 'upstream_unavailable', retryAfterSeconds: 1 })
})

t.test('a session that arrives after every deadline is there for the caller who asks again', async (t) => {
  const clock = manualClock()
  const { asked, source } = heldSource()
  const { find } = setUp(t, clock, source, { deadlineMs: 1000 })
  const tooLate = failure(find('alice', { deadlineMs: 1000 }))
  await clock.advance(1000)
  t.strictSame(await tooLate, { code: 'upstream_unavailable', retryAfterSeconds: 1 })
  const again = find('alice', { deadlineMs: 1000 })
  await clock.advance(500)
  asked[0]?.pay(credentials(1, clock.now() + HOUR))
  t.equal(await again, 'access-1 sts', 'it joins the call')
  t.equal(await find(), 'access-1 cache')
  t.equal(asked.length, 1)
})

t.test('the date is set while sessions live', async (t) => {
  for (const step of [HOUR, -HOUR]) {
    t.test(step > 0 ? 'an hour ahead' : 'an hour back', async (t) => {
      const clock = manualClock()
      // STS refuses a signature whose date is a quarter of an hour off.
      let off = 0
      const sts = countingSource(
        () => clock.now() - off,
        () => Math.abs(off) > 15 * MINUTE && Promise.reject(denied()),
      )
      const { find } = setUp(t, clock, sts.source)
      await find()
      clock.step(step)
      off = step
      for (let i = 0; i < 50; i++) t.equal(await find(), 'access-1 cache', 'who has a live session keeps it')
      t.equal(sts.asked.length, step > 0 ? 2 : 1)
      await clock.advance(45 * MINUTE)
      t.equal(await find(), 'access-1 cache')
      await clock.advance(1)
      t.strictSame(await failure(find()), { code: 'upstream_denied' }, 'for as long as it lives, and no longer')
      clock.step(-step)
      off = 0
      await clock.advance(3000)
      t.match(await find(), / sts$/u)
    })
  }
  t.test('a machine that slept for an hour does not serve what died meanwhile', async (t) => {
    const clock = manualClock()
    const sts = countingSource(clock.now)
    const { find } = setUp(t, clock, sts.source)
    await find()
    clock.step(HOUR)
    t.equal(await find(), 'access-2 sts')
    t.equal(await find(), 'access-2 cache')
  })
})

t.test('whoever waits for a refresh that gives up gets a call of its own', async (t) => {
  const clock = manualClock()
  const { asked, source } = heldSource()
  const { find } = setUp(t, clock, source)
  const first = find()
  await settle()
  asked[0]?.pay(credentials(1, clock.now() + HOUR))
  await first
  await clock.advance(40 * MINUTE)
  t.equal(await find(), 'access-1 cache')
  const needy = find('alice', { validityMs: 30 * MINUTE })
  await settle()
  t.equal(asked.length, 2, 'it waits for the refresh')
  asked[1]?.fail(throttled())
  await settle()
  asked[2]?.pay(credentials(3, clock.now() + HOUR))
  t.equal(await needy, 'access-3 sts')
})

t.test('a caller whose session the store refuses gets a new one, and everybody after it', async (t) => {
  const clock = manualClock()
  const sts = countingSource(clock.now)
  const { find } = setUp(t, clock, sts.source)
  t.equal(await find(), 'access-1 sts')
  t.strictSame(await Promise.all([find('alice', { fresh: true }), find('alice', { fresh: true }), find()]), [
    'access-2 sts',
    'access-2 sts',
    'access-1 cache',
  ])
  t.equal(await find(), 'access-2 cache')
  t.equal(await find('alice', { fresh: true }), 'access-3 sts')
})

t.test('a refresh that ends after a fresh session was got does not bring the old one back', async (t) => {
  const clock = manualClock()
  const { asked, source } = heldSource()
  const { find } = setUp(t, clock, source)
  const first = find()
  await settle()
  asked[0]?.pay(credentials(1, clock.now() + HOUR))
  await first
  await clock.advance(40 * MINUTE)
  const askedAt = clock.now()
  await find() // begins a refresh
  await clock.advance(1000)
  const fresh = find('alice', { fresh: true })
  await settle()
  asked[2]?.pay(credentials(3, clock.now() + HOUR))
  t.equal(await fresh, 'access-3 sts')
  asked[1]?.pay(credentials(2, askedAt + HOUR))
  await settle()
  t.equal(await find(), 'access-3 cache')
})

t.test('ten hours of callers leave as much behind as one', async (t) => {
  const clock = manualClock()
  const sts = countingSource(clock.now)
  const { find } = setUp(t, clock, sts.source, { maxEntries: 100_000 })
  for (let minute = 0; minute < 600; minute++) {
    for (let i = 0; i < 20; i++) await find(`user-${minute % 60}-${Math.floor(minute / 120)}-${i}`)
    await clock.advance(MINUTE)
    t.equal(clock.timers(), 0)
  }
  t.ok(sts.asked.length >= 6000)
})

t.test('closing waits for nobody and begins nothing', async (t) => {
  const clock = manualClock()
  const { asked, source } = heldSource()
  const { find, close } = setUp(t, clock, source)
  const waiting = failure(find())
  await settle()
  await close()
  t.strictSame(await waiting, { code: 'not_ready' })
  t.ok(asked[0]?.signal?.aborted)
  t.strictSame(await failure(find()), { code: 'not_ready' })
  t.equal(clock.timers(), 0)
})
