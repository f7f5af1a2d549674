import t, { type Test } from 'tap'
import { simulateCohorts } from '../../../../bench/capacity/cohorts.ts'
import { simulateExactly } from '../../../../bench/capacity/exact.ts'
import { createRandom } from '../../../../bench/capacity/random.ts'
import { DEFAULTS, type Scenario } from '../../../../bench/capacity/scenario.ts'
import { simulate } from '../../../../bench/capacity/simulate.ts'

// Simulations need much processor time, and shared machines are slow.
t.setTimeout(180_000)

const UNLIMITED = 1e9

/** Checks that a value differs from the wanted one by at most the share `part`. */
const near = (t: Test, found: number, want: number, part: number, what: string) =>
  t.ok(Math.abs(found - want) <= part * want, `${what}: ${found}, in theory ${want}`)

t.test('the simulation agrees with the formulas', async (t) => {
  // Every open is one ask, and they come by the Poisson law: the intervals between renewals are half a session and
  // the wait for the next ask.
  const opens = (opensPerDay: number, sessionSeconds: number): Scenario => ({
    ...DEFAULTS,
    pattern: 'flat',
    opensPerDay,
    sessionSeconds,
    useSeconds: 10,
    askSeconds: 43_200,
    quotaPerSecond: UNLIMITED,
  })
  for (const { opensPerDay, sessionSeconds } of [
    { opensPerDay: 4, sessionSeconds: 3600 },
    { opensPerDay: 24, sessionSeconds: 3600 },
    { opensPerDay: 24, sessionSeconds: 43_200 },
    { opensPerDay: 100, sessionSeconds: 14_400 },
  ]) {
    t.test(`${opensPerDay} opens a day, sessions of ${sessionSeconds} s`, async (t) => {
      const { day } = simulate(opens(opensPerDay, sessionSeconds))
      const gap = 86_400 / opensPerDay
      const half = sessionSeconds / 2
      const late = Math.exp(-(half - 900) / gap)
      const calls = DEFAULTS.users / (half + gap)
      near(t, day.asks.mean, DEFAULTS.users / gap, 0.01, 'requests a second')
      near(t, day.calls.mean, calls, 0.01, 'refreshes a second: users divided by the mean time between two')
      near(t, day.hitRate, 1 - late / (1 + half / gap), 0.01, 'hit rate')
      near(t, day.sessions, calls * (half + (1 - late) * gap), 0.01, "Little's law: sessions = calls × their life")
      near(t, day.calls.p99, calls + 2.326 * Math.sqrt(calls), 0.02, 'the 99th percentile of the Poisson distribution')
    })
  }

  t.test('users who stay: active users divided by the refresh interval', async (t) => {
    const stays = { opensPerDay: 1, useSeconds: 43_200, askSeconds: 60 }
    const { day } = simulate({ ...opens(1, 3600), ...stays })
    const active = DEFAULTS.users * 0.5
    // Each open is one more request.
    near(t, day.calls.mean, active / (1800 + 60) + DEFAULTS.users / 86_400, 0.03, 'calls a second')
  })

  t.test('replicas without a shared cache each see a part of the requests', async (t) => {
    const { day } = simulate({ ...opens(24, 3600), replicas: 4, sharedCache: false })
    near(t, day.calls.mean, (4 * DEFAULTS.users) / (1800 + 4 * 3600), 0.01, 'calls a second')
  })

  t.test('signed URLs: each cache makes one call a template every half session', async (t) => {
    for (const { replicas, sharedCache, caches } of [
      { replicas: 12, sharedCache: true, caches: 1 },
      { replicas: 12, sharedCache: false, caches: 12 },
    ]) {
      const { day } = simulate({ ...DEFAULTS, mode: 'signed-urls', replicas, sharedCache })
      near(t, day.calls.mean, (DEFAULTS.templates * caches) / 1800, 1e-9, `${caches} caches`)
      t.equal(day.hitRate, 1)
    }
  })
})

t.test('counting users gives the same result as following each user', async (t) => {
  const rows: { name: string; more: Partial<Scenario> }[] = [
    { name: 'a daily wave', more: {} },
    { name: 'caches of their own', more: { sharedCache: false } },
    { name: 'long sessions in the morning', more: { sessionSeconds: 43_200, pattern: 'morning' } },
    { name: 'an outage', more: { pattern: 'outage', quotaPerSecond: 2, users: 20_000 } },
    { name: 'a push into a small quota', more: { pattern: 'push', quotaPerSecond: 2, users: 20_000 } },
    { name: 'far too little quota', more: { quotaPerSecond: 3, users: 20_000, opensPerDay: 15 } },
  ]
  for (const { name, more } of rows) {
    t.test(name, async (t) => {
      const scenario = { ...DEFAULTS, users: 10_000, ...more }
      const cohorts = simulateCohorts(scenario, createRandom(7))
      const exact = simulateExactly(scenario, createRandom(7))
      near(t, cohorts.asks.mean, exact.asks.mean, 0.02, 'requests a second')
      near(t, cohorts.wanted.mean, exact.wanted.mean, 0.05, 'calls wanted a second')
      near(t, cohorts.calls.mean, exact.calls.mean, 0.03, 'calls made a second')
      near(t, cohorts.sessions, exact.sessions, 0.05, 'sessions')
      t.ok(Math.abs(cohorts.hitRate - exact.hitRate) < 0.02, `hit rate ${cohorts.hitRate}, ${exact.hitRate}`)
      for (const share of ['refusedShare', 'gaveUpShare'] as const) {
        t.ok(Math.abs(cohorts[share] - exact[share]) < 0.02, `${share} ${cohorts[share]}, ${exact[share]}`)
      }
    })
  }
})

t.test('a seed repeats its day, and another seed gives another day', async (t) => {
  for (const more of [{}, { mode: 'signed-urls' as const, pattern: 'outage' as const }]) {
    const scenario = { ...DEFAULTS, ...more }
    t.strictSame(simulate(scenario), simulate(scenario))
  }
  const small = { ...DEFAULTS, users: 1000 }
  t.strictSame(simulate(small, true), simulate(small, true), 'the exact simulation repeats too')
  t.notSame(simulate(small).day.calls, simulate({ ...small, seed: 2 }).day.calls)
  t.notSame(simulate(small, true).day.calls, simulate({ ...small, seed: 2 }, true).day.calls)
})

t.test('100 million users take seconds to simulate', async (t) => {
  const started = process.cpuUsage()
  simulate({ ...DEFAULTS, users: 100_000_000, sessionSeconds: 43_200 })
  const { user } = process.cpuUsage(started)
  t.ok(user < 5e6, `${user / 1e6} s of one core`)
})
