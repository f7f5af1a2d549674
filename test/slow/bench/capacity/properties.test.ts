import fc from 'fast-check'
import t from 'tap'
import { createGate } from '../../../../bench/capacity/gate.ts'
import { DEFAULTS, PATTERNS, type Scenario } from '../../../../bench/capacity/scenario.ts'
import { simulate } from '../../../../bench/capacity/simulate.ts'

// Simulations need much processor time, and shared machines are slow.
t.setTimeout(180_000)

const RUNS = { numRuns: 8 }

/** Loads from none to far above the quota, in all modes. */
const scenarios: fc.Arbitrary<Scenario> = fc
  .record({
    users: fc.constantFrom(100, 10_000, 300_000, 2_000_000, 100_000_000),
    pattern: fc.constantFrom(...PATTERNS),
    opensPerDay: fc.integer({ min: 1, max: 20 }),
    useSeconds: fc.integer({ min: 30, max: 3600 }),
    askSeconds: fc.integer({ min: 60, max: 3600 }),
    mode: fc.constantFrom('sessions' as const, 'sessions' as const, 'signed-urls' as const),
    sessionSeconds: fc.integer({ min: 3600, max: 43_200 }),
    quotaPerSecond: fc.integer({ min: 5, max: 1000 }),
    queueSeconds: fc.integer({ min: 0, max: 10 }),
    retryAfterSeconds: fc.integer({ min: 1, max: 60 }),
    attempts: fc.integer({ min: 1, max: 5 }),
    replicas: fc.integer({ min: 1, max: 12 }),
    sharedCache: fc.boolean(),
    seed: fc.integer({ min: 0, max: 1e6 }),
  })
  .map((drawn) => ({ ...DEFAULTS, ...drawn }))

/** Two different days use different random draws, so a small difference by chance is allowed. */
const atMost = (less: number, more: number, chance: number) => less <= more * 1.02 + chance

const share = (value: number) => value >= 0 && value <= 1

t.test('shares lie between 0 and 1, and calls stay within the quota', async () => {
  fc.assert(
    fc.property(scenarios, (scenario) => {
      const { day, limits } = simulate(scenario)
      const quota = scenario.quotaPerSecond * scenario.accounts
      const finite = [day.asks, day.wanted, day.calls, day.wait].flatMap(({ mean, p99, peak }) => [mean, p99, peak])
      return (
        [day.hitRate, day.refusedShare, day.gaveUpShare].every(share) &&
        finite.every((value) => Number.isFinite(value) && value >= 0) &&
        day.calls.peak <= quota &&
        day.calls.mean <= day.wanted.mean * 1.001 + 0.01 &&
        day.wait.peak <= scenario.queueSeconds &&
        limits.limits.every(({ used }) => used >= 0) &&
        (limits.binding !== undefined || day.refusedShare <= 0.001)
      )
    }),
    RUNS,
  )
})

t.test('more quota never refuses more', async () => {
  fc.assert(
    fc.property(scenarios, fc.integer({ min: 2, max: 20 }), (scenario, times) => {
      const [little, much] = [1, times].map((accounts) => simulate({ ...scenario, accounts }).day)
      return little && much && atMost(much.refusedShare, little.refusedShare, 0.002)
    }),
    RUNS,
  )
})

/** Calls to an STS without a quota. With a quota, refusals would hide the real need. */
const wantedOf = (scenario: Scenario) => simulate({ ...scenario, quotaPerSecond: 1e9 }).day.wanted.mean

t.test('longer sessions never need more calls', async () => {
  fc.assert(
    fc.property(scenarios, fc.integer({ min: 3600, max: 43_200 }), (scenario, other) => {
      const [shorter, longer] = [scenario.sessionSeconds, other].sort((a, b) => a - b)
      const [more, less] = [shorter, longer].map((sessionSeconds) =>
        wantedOf({ ...scenario, sessionSeconds: sessionSeconds ?? 3600 }),
      )
      return atMost(less ?? 0, more ?? 0, 0.02)
    }),
    RUNS,
  )
})

t.test('a shared cache never needs more calls than separate caches', async () => {
  fc.assert(
    fc.property(scenarios, (scenario) => {
      const [shared, own] = [true, false].map((sharedCache) => wantedOf({ ...scenario, sharedCache }))
      return atMost(shared ?? 0, own ?? 0, 0.02)
    }),
    RUNS,
  )
})

t.test('the gate handles each caller exactly once', async () => {
  const seconds = fc.array(fc.record({ answers: fc.boolean(), come: fc.nat(50), ahead: fc.nat(50) }), { maxLength: 60 })
  fc.assert(
    fc.property(seconds, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 5 }), (days, quota, queue) => {
      const gate = createGate(quota, queue)
      let admitted = 0
      let called = 0
      for (const { answers, come, ahead } of days) {
        gate.tick(answers)
        const mayCome = gate.hasRoom()
        const callers = gate.offer(come)
        const renewals = gate.spare(ahead)
        admitted += callers + renewals
        called += gate.calls()
        if (gate.calls() > quota || callers > come || renewals > ahead) return false
        if (!answers && (callers > 0 || renewals > 0 || gate.calls() > 0)) return false
        if (come > 0 && mayCome !== callers > 0) return false
      }
      for (let left = 0; left <= queue; left++) {
        gate.tick(true)
        called += gate.calls()
      }
      return called === admitted
    }),
  )
})

t.test('optional calls go last', async (t) => {
  const gate = createGate(10, 1)
  gate.tick(true)
  t.equal(gate.offer(4), 4)
  t.equal(gate.spare(20), 6, 'the rest of the quota')
  gate.tick(true)
  t.equal(gate.offer(25), 20, 'ten now, ten in the queue, the newest refused')
  t.equal(gate.wait(), 1)
  gate.tick(true)
  t.equal(gate.calls(), 10, 'the queue goes first')
  t.equal(gate.spare(1), 0)
})
