import { createGate } from './gate.ts'
import { DAY, opensPerSecond, stsAnswers } from './pattern.ts'
import type { Random } from './random.ts'
import { cachesOf, MIN_VALIDITY_SECONDS, quotaOf, REFRESH_AHEAD, type Scenario } from './scenario.ts'
import { createTally, type Day } from './tally.ts'

/**
 * Simulates signed URLs: each cache has one session for each template and refreshes it after half of its life; callers
 * need no session. Users are counted as in `simulateCohorts`; each session is followed.
 */
export function simulateSigned(scenario: Scenario, random: Random): Day {
  const { users, useSeconds, signSeconds, sessionSeconds, templates } = scenario
  const gate = createGate(quotaOf(scenario), scenario.queueSeconds)
  const tally = createTally(DAY)
  const opensAt = opensPerSecond(scenario)
  const closes = 1 - Math.exp(-1 / useSeconds)
  const asksInUse = 1 - Math.exp(-1 / signSeconds)
  const due = REFRESH_AHEAD * sessionSeconds
  // Replicas start in different seconds, so their sessions end in different seconds.
  const fetchedAt = Float64Array.from({ length: templates * cachesOf(scenario) }, () => -random.below(due))
  let nextDue = 0
  let usable = fetchedAt.length
  let idle = users
  let inUse = 0

  for (let now = 0; now < 2 * DAY; now++) {
    gate.tick(stsAnswers(scenario, now))
    let wanted = 0
    if (now >= nextDue) {
      for (const [at, before] of fetchedAt.entries()) {
        if (now - before < due) continue
        wanted++
        if (gate.spare(1) === 1) fetchedAt[at] = now
      }
      nextDue = Math.min(...fetchedAt.map((at) => at + due))
      usable = fetchedAt.filter((at) => now - at < sessionSeconds - MIN_VALIDITY_SECONDS).length
    }
    const opened = idle * (1 - Math.exp(-opensAt(now)))
    const asks = opened + inUse * asksInUse
    const closed = inUse * closes
    idle += closed - opened
    inUse += opened - closed
    const hits = asks * (usable / fetchedAt.length)
    const refused = asks - hits
    tally.note(now, { asks, hits, served: 0, refused, gaveUp: refused, wanted, calls: gate.calls(), wait: 0 })
  }
  tally.sessions(fetchedAt.length)
  return tally.day()
}
