import { drawAge } from './ages.ts'
import { createGate } from './gate.ts'
import { DAY, opensPerSecond, stsAnswers } from './pattern.ts'
import type { Random } from './random.ts'
import { cachesOf, MIN_VALIDITY_SECONDS, quotaOf, REFRESH_AHEAD, type Scenario } from './scenario.ts'
import { createTally, type Day } from './tally.ts'

/** Limit for users times caches: beyond it, to follow each user takes too much memory and time. */
export const EXACT_USERS = 200_000

type Event = Readonly<{
  user: number
  kind: 'may-open' | 'ask' | 'retry'
  closesAt: number
  attempt: number
  cache: number
}>

/** The same as `simulateCohorts`, but follows each user from second to second. */
export function simulateExactly(scenario: Scenario, random: Random): Day {
  const { users, useSeconds, askSeconds, sessionSeconds, attempts, retryAfterSeconds } = scenario
  const caches = cachesOf(scenario)
  const gate = createGate(quotaOf(scenario), scenario.queueSeconds)
  const tally = createTally(DAY)
  const opens = opensPerSecond(scenario)
  const end = 2 * DAY
  const usable = sessionSeconds - MIN_VALIDITY_SECONDS
  const fetchedAt = Float64Array.from({ length: users * caches }, () => -Math.ceil(drawAge(scenario, random)))
  /** For each second, the number of sessions that stop being usable. */
  const endsAt = new Int32Array(end + sessionSeconds + 1)
  const agenda: (Event[] | undefined)[] = Array.from({ length: end })
  const plan = (at: number, event: Event) => {
    if (at >= end) return
    const events = agenda[at] ?? []
    agenda[at] = events
    events.push(event)
  }
  const after = (now: number, mean: number) => now + Math.max(1, Math.round(random.exponential(mean)))
  /**
   * Finds the next time at which the user opens the app, by thinning: draws at the highest rate of each quarter of an
   * hour.
   */
  const planOpen = (now: number, user: number) => {
    for (let at = now; at < end; ) {
      const quarter = Math.floor(at / 900)
      const until = (quarter + 1) * 900
      const next = at + random.exponential(1 / highest(quarter))
      if (next < until) {
        plan(Math.floor(next) === now ? now + 1 : Math.floor(next), {
          user,
          kind: 'may-open',
          closesAt: 0,
          attempt: 1,
          cache: 0,
        })
        return
      }
      at = until
    }
  }
  const highestOf: number[] = []
  function highest(quarter: number): number {
    highestOf[quarter] ??= Math.max(...Array.from({ length: 901 }, (_, at) => opens(quarter * 900 + at)))
    return highestOf[quarter]
  }
  for (let user = 0; user < users; user++) planOpen(0, user)

  let alive = 0
  for (const at of fetchedAt) {
    if (at + usable <= 0) continue
    alive++
    endsAt[at + usable] = (endsAt[at + usable] ?? 0) + 1
  }
  for (let now = 0; now < end; now++) {
    gate.tick(stsAnswers(scenario, now))
    alive -= endsAt[now] ?? 0
    const seen = { asks: 0, hits: 0, served: 0, refused: 0, gaveUp: 0, wanted: 0, wait: 0 }
    const ahead: number[] = []
    const fetch = (place: number, admitted: number): boolean => {
      seen.wanted++
      if (admitted === 0) return false
      const before = (fetchedAt[place] ?? 0) + usable
      if (before > now) endsAt[before] = (endsAt[before] ?? 0) - 1
      else alive++
      fetchedAt[place] = now
      endsAt[now + usable] = (endsAt[now + usable] ?? 0) + 1
      return true
    }
    const planNext = (user: number, closesAt: number) => {
      const at = after(now, askSeconds)
      if (at < closesAt) plan(at, { user, kind: 'ask', closesAt, attempt: 1, cache: 0 })
      else planOpen(Math.max(now, closesAt), user)
    }
    const events = shuffle(agenda[now] ?? [], random)
    agenda[now] = undefined
    for (const { user, kind, attempt, cache, ...event } of events) {
      if (kind === 'may-open' && random.uniform() * highest(Math.floor(now / 900)) > opens(now)) {
        planOpen(now, user)
        continue
      }
      const closesAt = kind === 'may-open' ? after(now, useSeconds) : event.closesAt
      const asked = kind === 'retry' ? cache : random.below(caches)
      const place = user * caches + asked
      const age = now - (fetchedAt[place] ?? 0)
      if (kind !== 'retry') seen.asks++
      if (age < usable) {
        seen.hits++
        if (age >= REFRESH_AHEAD * sessionSeconds) ahead.push(place)
      } else if (fetch(place, gate.offer(1))) {
        seen.served++
        seen.wait += gate.wait()
      } else {
        seen.refused++
        if (attempt < attempts) {
          plan(after(now, retryAfterSeconds), { user, kind: 'retry', closesAt, attempt: attempt + 1, cache: asked })
          continue
        }
        seen.gaveUp++
      }
      planNext(user, closesAt)
    }
    for (const place of ahead) fetch(place, gate.spare(1))
    tally.note(now, { ...seen, calls: gate.calls(), wait: seen.served === 0 ? 0 : seen.wait / seen.served })
    if (now >= DAY) tally.sessions(alive)
  }
  return tally.day()
}

/** Shuffles the events of a second, so that retries, which were planned last, do not always come last. */
function shuffle<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, at: random.uniform() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
