import { ageDensity } from './ages.ts'
import { createGate } from './gate.ts'
import { DAY, opensPerSecond, stsAnswers } from './pattern.ts'
import type { Random } from './random.ts'
import { cachesOf, MIN_VALIDITY_SECONDS, quotaOf, REFRESH_AHEAD, type Scenario } from './scenario.ts'
import { createTally, type Day } from './tally.ts'

/** Length of a step in seconds. A user does at most one thing in a step. */
const STEP = 5

/**
 * Two days run before the measured one: the first provides the sessions at the start of the second, the second warms up
 * the caches.
 */
const MEASURED = 2 * DAY

/** Number of ages into which the life of a session is divided. */
const AGES = 180

/**
 * Simulates the sessions of any number of users for one day, after a warm-up as long as caches remember.
 *
 * Users are counted, not followed: idle or in the app, by the age of the session that a cache holds for them. In each
 * step the expected part of each count opens the app, makes a request, or leaves. A Poisson draw then decides how many
 * reach STS in each second, so peaks are those of real arrivals. Without a shared cache, each request of a user reaches
 * the counted cache with probability 1 / replicas.
 */
export function simulateCohorts(scenario: Scenario, random: Random): Day {
  const { users, useSeconds, askSeconds, sessionSeconds, attempts, retryAfterSeconds } = scenario
  const caches = cachesOf(scenario)
  const reaches = 1 / caches
  const gate = createGate(quotaOf(scenario), scenario.queueSeconds)
  const tally = createTally(MEASURED)
  const opensAt = opensPerSecond(scenario)

  const width = Math.max(STEP, Math.round(sessionSeconds / AGES / STEP) * STEP)
  const due = REFRESH_AHEAD * sessionSeconds
  const usable = sessionSeconds - MIN_VALIDITY_SECONDS
  // A ring buffer: each slot holds the sessions of one `width` of time, and is free again before its next use.
  const slots = Math.ceil(usable / width) + 2
  const bornAt = (cohort: number) => (cohort + 0.5) * width - STEP / 2
  const idle = new Float64Array(slots)
  const inUse = new Float64Array(slots)
  const without = { idle: users * caches, inUse: 0 }
  const retrying = new Float64Array(attempts)

  const closes = 1 - Math.exp(-STEP / useSeconds)
  const asksInUse = 1 - Math.exp((-STEP * reaches) / askSeconds)
  const retries = 1 - Math.exp(-STEP / retryAfterSeconds)

  const start = MEASURED - Math.min(DAY, 3 * sessionSeconds)
  let oldest = Math.floor(start / width) - slots + 2
  let alive = { idle: 0, inUse: 0 }
  let late = { idle: 0, inUse: 0 }
  const inApp = (scenario.opensPerDay * useSeconds) / DAY
  // If all users started without a session, all would refresh together for a long time. So start from the steady state.
  for (let cohort = oldest; bornAt(cohort) < start; cohort++) {
    const count = users * caches * width * ageDensity(scenario, start - bornAt(cohort))
    const slot = cohort % slots
    idle[slot] = count * (1 - inApp)
    inUse[slot] = count * inApp
    without.idle -= count
    if (start - bornAt(cohort) >= due) add(late, idle[slot], inUse[slot])
    add(alive, idle[slot], inUse[slot])
  }
  without.inUse = without.idle * inApp
  without.idle -= without.inUse

  for (let now = start; now < MEASURED + DAY; now += STEP) {
    const opens = 1 - Math.exp(-STEP * opensAt(now + STEP / 2))
    const asksIdle = opens * reaches
    const newest = Math.floor(now / width)

    // These sessions are too old to be given to a caller, so their users have none.
    for (; oldest < newest && now - bornAt(oldest) >= usable; oldest++) {
      const slot = oldest % slots
      for (const [ages, key] of [[idle, 'idle'] as const, [inUse, 'inUse'] as const]) {
        const count = ages[slot] ?? 0
        without[key] += count
        alive[key] -= count
        late[key] -= count
        ages[slot] = 0
      }
    }
    const hits = alive.idle * asksIdle + alive.inUse * asksInUse
    const refreshes = late.idle * asksIdle + late.inUse * asksInUse
    const missing = without.idle * asksIdle + without.inUse * asksInUse
    const again = retrying.map((count) => count * retries)
    const waiting = missing + again.reduce((sum, count) => sum + count, 0)

    const { part, spared, seconds } = arrive(waiting / STEP, Math.max(0, refreshes) / STEP, now)

    let fetched = waiting * part
    alive = { idle: 0, inUse: 0 }
    late = { idle: 0, inUse: 0 }
    let slot = oldest % slots
    for (let cohort = oldest; cohort <= newest; cohort++) {
      const age = now - bornAt(cohort)
      const renewed = age >= due ? spared : 0
      const idleBefore = idle[slot] ?? 0
      const inUseBefore = inUse[slot] ?? 0
      const takenOfIdle = idleBefore * asksIdle * renewed
      const takenOfUse = inUseBefore * asksInUse * renewed
      const left = (inUseBefore - takenOfUse) * closes
      const idleNow = idleBefore * (1 - opens) + left
      let inUseNow = inUseBefore - takenOfUse - left + idleBefore * opens - takenOfIdle
      fetched += takenOfIdle + takenOfUse
      if (cohort === newest) inUseNow += fetched
      idle[slot] = idleNow
      inUse[slot] = inUseNow
      add(alive, idleNow, inUseNow)
      if (age + STEP >= due) add(late, idleNow, inUseNow)
      slot = slot + 1 === slots ? 0 : slot + 1
    }

    // A user who waits for STS stays in the app until the wait ends.
    const askedInUse = without.inUse * asksInUse
    const left = (without.inUse - askedInUse) * closes
    const came = without.idle * (opens - asksIdle)
    without.idle += left - without.idle * opens
    without.inUse += came - askedInUse - left
    let refused = missing * (1 - part)
    let refusals = refused
    for (let attempt = 1; attempt < attempts; attempt++) {
      const tries = again[attempt] ?? 0
      retrying[attempt] = (retrying[attempt] ?? 0) - tries + refused
      refused = tries * (1 - part)
      refusals += refused
    }
    without.inUse += refused

    for (const [at, { arrivals, calls, wait }] of seconds.entries()) {
      tally.note(now + at, {
        asks: (hits + missing) / STEP,
        hits: hits / STEP,
        served: (waiting * part) / STEP,
        refused: refusals / STEP,
        gaveUp: refused / STEP,
        wanted: arrivals,
        calls,
        wait,
      })
    }
    if (now >= MEASURED) tally.sessions(alive.idle + alive.inUse)
  }
  return tally.day()

  /** Runs the step's seconds at the gate, and returns the share of callers and of refreshes that it lets in. */
  function arrive(callersPerSecond: number, renewalsPerSecond: number, from: number) {
    const callers = { came: 0, admitted: 0 }
    const renewals = { came: 0, admitted: 0 }
    const seconds: { arrivals: number; calls: number; wait: number }[] = []
    for (let second = from; second < from + STEP; second++) {
      gate.tick(stsAnswers(scenario, second))
      const waiting = random.poisson(callersPerSecond)
      const ahead = random.poisson(renewalsPerSecond)
      callers.came += waiting
      renewals.came += ahead
      callers.admitted += gate.offer(waiting)
      renewals.admitted += gate.spare(ahead)
      seconds.push({ arrivals: waiting + ahead, calls: gate.calls(), wait: gate.wait() })
    }
    const whole = gate.hasRoom() ? 1 : 0
    const part = ({ came, admitted }: typeof callers) => (came > 0 ? admitted / came : whole)
    return { part: part(callers), spared: part(renewals), seconds }
  }
}

function add(users: { idle: number; inUse: number }, idle: number, inUse: number): void {
  users.idle += idle
  users.inUse += inUse
}
