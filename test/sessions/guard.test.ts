import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { VendError } from '../../src/errors.ts'
import { closable } from '../../src/lib/clock.ts'
import { sessionMetrics } from '../../src/observe/sessions.ts'
import { guard } from '../../src/sessions/guard.ts'
import { createNewSessions } from '../../src/sessions/new-sessions.ts'
import { createLocalRate, type Rate } from '../../src/sessions/rate.ts'
import { stsSessions } from '../../src/sessions/sts-sessions.ts'
import type { CredentialSource } from '../../src/sts/credentials.ts'
import { manualClock, settle } from '../helpers/clock.ts'
import {
  countingSource,
  credentials,
  denied,
  failure,
  grantOf,
  heldSource,
  metric,
  needsOf,
  quietLogger,
  throttled,
  timedOut,
} from '../helpers/vending.ts'

type Options = Readonly<{
  limit?: number
  perSecond?: number
  timeoutMs?: number
  rate?: Rate
  random?: number
  newSessionsPerMinute?: number
}>

/** STS behind its guard, on a clock of the test's own; `ask` settles with the outcome and when it came. */
function setUp(t: Test, sourceOf: (now: () => number) => CredentialSource, options: Options = {}) {
  const { limit = 4, perSecond = 1000, random = 1 } = options
  const { newSessionsPerMinute: max = 0 } = options
  const limits = { deadlineMs: 5000, timeoutMs: 4000, minValidityMs: 900_000, ...options }
  const clock = manualClock()
  const closing = closable(clock)
  const registry = new Registry()
  const metrics = sessionMetrics(registry)
  const logger = quietLogger()
  const rate = options.rate ?? createLocalRate(perSecond, clock.monotonic)
  const counted = {
    target: 'default',
    metrics,
    newSessions: createNewSessions({ max, monotonic: clock.monotonic, metrics }),
  }
  const dependencies = { clock: closing, logger, ...limits, ...counted, rate, random: () => random }
  const guarded = { ...dependencies, maxRps: perSecond, connections: limit }
  const upstream = guard(stsSessions(sourceOf(clock.now), dependencies), guarded)
  const ask = (deadlineMs = 5000, background = false, subject = 'alice') => {
    const needs = needsOf(clock.monotonic() + deadlineMs, { owner: { issuer: 'app', subject }, background })
    return failure(upstream.session(grantOf(), needs)).then((error) => ({ ...error, at: clock.monotonic() }))
  }
  t.teardown(() => {
    if (clock.timers() > 0) throw new Error('a timer is left')
  })
  return { clock, closing, metrics: registry, logger, upstream, ask }
}

t.test('what may be repeated is, after a random part of a pause that doubles', async (t) => {
  const rows = [
    { name: 'well', errors: [], calls: 1, want: { at: 0 } },
    { name: 'once ill', errors: [throttled()], calls: 2, want: { at: 100 } },
    { name: 'twice ill', errors: [throttled(), throttled()], calls: 3, want: { at: 300 } },
    {
      name: 'ill',
      errors: [throttled(), throttled(), throttled()],
      calls: 3,
      want: { code: 'upstream_unavailable', retryAfterSeconds: 1, at: 300 },
    },
    { name: 'Retry-After is kept to', errors: [throttled(2)], calls: 2, want: { at: 2000 } },
    {
      name: 'and handed on when it is longer than the deadline',
      errors: [throttled(9)],
      calls: 1,
      want: { code: 'upstream_unavailable', retryAfterSeconds: 9, at: 0 },
    },
    { name: 'a refusal is not repeated', errors: [denied()], calls: 1, want: { code: 'upstream_denied', at: 0 } },
    {
      name: 'nor a timeout',
      errors: [timedOut()],
      calls: 1,
      want: { code: 'upstream_timeout', retryAfterSeconds: 1, at: 0 },
    },
  ]
  for (const { name, errors, calls, want } of rows) {
    t.test(name, async (t) => {
      const sts = countingSource(Date.now, (call) => errors[call - 1] && Promise.reject(errors[call - 1]))
      const { clock, ask } = setUp(t, () => sts.source, { random: 0.5 })
      const asked = ask()
      await clock.advance(5000)
      t.strictSame(await asked, want)
      t.equal(sts.asked.length, calls)
    })
  }
})

t.test('a call has its own time, whatever STS does', async (t) => {
  const rows = [
    { name: 'with a deadline that is shorter', deadlineMs: 900, answersMs: undefined, want: 4000 },
    { name: 'with one that is longer', deadlineMs: 5000, answersMs: undefined, want: 4000 },
    { name: 'and what it brings after the deadline is brought', deadlineMs: 900, answersMs: 3999, want: 3999 },
  ]
  for (const { name, deadlineMs, answersMs, want } of rows) {
    t.test(name, async (t) => {
      const { asked, source } = heldSource()
      const { clock, ask, metrics } = setUp(t, () => source)
      const waiting = ask(deadlineMs)
      await clock.advance(answersMs ?? 0)
      if (answersMs) asked[0]?.pay(credentials(1, clock.now() + 3_600_000))
      await clock.advance(5000)
      const late = { code: 'upstream_timeout', retryAfterSeconds: 1 }
      t.strictSame(await waiting, { ...(answersMs === undefined && late), at: want })
      t.ok(asked[0]?.signal?.aborted, 'a call that is over is dropped')
      const outcome = answersMs ? 'ok' : 'upstream_timeout'
      t.equal(await metric(metrics, 'oss_vend_sts_calls_total', { outcome }), 1)
    })
  }
})

t.test('only what STS did counts against it', async (t) => {
  const { asked, source } = heldSource()
  const { clock, ask, metrics, upstream } = setUp(t, () => source, { limit: 10 })
  const hasty = Array.from({ length: 30 }, (_, n) => ask(500, false, `caller-${n}`))
  await clock.advance(1000)
  t.equal(asked.length, 10)
  for (const { pay } of asked) pay(credentials(1, clock.now() + 3_600_000))
  await clock.advance(0)
  t.equal((await Promise.all(hasty)).filter((one) => 'code' in one).length, 20, 'those who waited')
  t.equal(await metric(metrics, 'oss_vend_sts_breaker_state', { state: 'closed' }), 1)
  upstream.close()
})

t.test('the wait is bounded, and told before its time is over', async (t) => {
  const { asked, source } = heldSource()
  const { clock, ask, metrics } = setUp(t, () => source, { limit: 1, perSecond: 1, random: 0 })
  const [first, second, third] = [ask(), ask(1000), ask()]
  await settle()
  t.equal(await metric(metrics, 'oss_vend_sts_queue_length'), 2)
  await clock.advance(1000)
  t.match(await second, { code: 'upstream_unavailable', retryAfterSeconds: Number, at: 980 })
  asked[0]?.pay(credentials(1, clock.now() + 3_600_000))
  await clock.advance(1000)
  t.match(await first, { code: undefined })
  asked[1]?.pay(credentials(2, clock.now() + 3_600_000))
  t.match(await third, { code: undefined })
  t.equal(await metric(metrics, 'oss_vend_sts_shed_total', { reason: 'queue' }), 1)
})

t.test('the rate spreads calls out; what it cannot place within the deadline is turned away at once', async (t) => {
  const sts = countingSource(Date.now)
  const { clock, ask, metrics } = setUp(t, () => sts.source, { perSecond: 2, limit: 20, random: 0 })
  const asked = [1, 2, 3, 4].map(() => ask(1000))
  await settle()
  t.equal(sts.asked.length, 1)
  t.strictSame(await asked[3], { code: 'upstream_unavailable', retryAfterSeconds: 2, at: 0 })
  await clock.advance(1000)
  t.strictSame(await Promise.all(asked.slice(0, 3)), [{ at: 0 }, { at: 400 }, { at: 900 }])
  t.equal(await metric(metrics, 'oss_vend_sts_shed_total', { reason: 'rate' }), 1)
})

t.test('an STS that keeps failing is left alone, found again, and its callers are told when', async (t) => {
  let ill = true
  const sts = countingSource(Date.now, () => ill && Promise.reject(timedOut()))
  const { clock, ask, metrics, logger } = setUp(t, () => sts.source)
  for (let i = 0; i < 5; i++) t.match(await ask(), { code: 'upstream_timeout' })
  t.equal(await metric(metrics, 'oss_vend_sts_breaker_state', { state: 'open' }), 1)
  await clock.advance(2500)
  t.strictSame(await ask(), { code: 'upstream_unavailable', retryAfterSeconds: 3, at: 2500 })
  clock.step(-3_600_000)
  await clock.advance(2500)
  ill = false
  t.strictSame(await ask(), { at: 5000 }, 'though the date was set back meanwhile')
  t.equal(sts.asked.length, 6)
  t.equal(await metric(metrics, 'oss_vend_sts_breaker_state', { state: 'closed' }), 1)
  t.match(logger.lines, [/^warn: STS keeps failing/u, 'info: STS is back'])
})

t.test('those who wait while it opens are turned away one after the other, without a call', async (t) => {
  const { asked, source } = heldSource()
  let reserved = 0
  const rate: Rate = {
    reserve: async () => {
      reserved++
      return 0
    },
  }
  const { ask } = setUp(t, () => source, { limit: 5, rate })
  const waiting = Array.from({ length: 50 }, () => ask())
  await settle()
  for (const { fail } of asked) fail(timedOut())
  const outcomes = await Promise.all(waiting)
  t.equal(asked.length, 5)
  t.equal(reserved, 5, 'nor a place among those that are left')
  t.equal(outcomes.filter((one) => 'code' in one && one.code === 'upstream_unavailable').length, 45)
})

t.test('callers who have a session already stand behind those who have none', async (t) => {
  const { asked, source } = heldSource()
  const { clock, upstream, ask } = setUp(t, () => source, { limit: 2 })
  const background = () => upstream.session(grantOf(), needsOf(5000, { background: true }))
  const [refresh, caller] = [background(), ask()]
  await settle()
  t.match(await background().catch((error: unknown) => error), { reason: 'queue' })
  asked[0]?.fail(throttled())
  await t.rejects(refresh, VendError, 'and are not repeated')
  asked[1]?.pay(credentials(1, clock.now() + 3_600_000))
  await caller
  t.equal(asked.length, 2)
})

t.test('closing drops what runs and turns away what waits, at once', async (t) => {
  const { asked, source } = heldSource()
  const { upstream, closing, ask } = setUp(t, () => source, { limit: 1 })
  const waiting = [ask(), ask()]
  await settle()
  upstream.close()
  closing.close()
  t.match(await Promise.all(waiting), [{ code: 'not_ready' }, { code: 'not_ready' }])
  t.ok(asked[0]?.signal?.aborted)
  t.match(await ask(), { code: 'not_ready' })
})

t.test('a session that many callers share has a turn of its own, and no limit of a caller', async (t) => {
  const { asked, source } = heldSource()
  const { clock, upstream, ask } = setUp(t, () => source, { limit: 1, newSessionsPerMinute: 3 })
  const shared = (name = 'a') => {
    const needs = needsOf(clock.monotonic() + 5000, { owner: { shared: name } })
    return failure(upstream.session(grantOf(`shared-${name}`), needs))
  }
  const pay = async () => {
    await settle()
    asked.at(-1)?.pay(credentials(asked.length, clock.now() + 3_600_000))
    await settle()
  }
  const alice = [ask(), ask(), ask()]
  await settle()
  const waiting = shared()
  await pay()
  await pay()
  t.equal(asked.at(-1)?.request.roleSessionName, 'shared-a', "not behind all of alice's")
  await pay()
  await pay()
  t.equal(await waiting, undefined)
  for (const outcome of await Promise.all(alice)) t.notOk('code' in outcome)
  t.match(await ask(), { code: 'rate_limited' })
  for (let n = 0; n < 5; n++) {
    const more = shared()
    await pay()
    t.equal(await more, undefined)
  }
})
