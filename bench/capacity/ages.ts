import { DAY } from './pattern.ts'
import type { Random } from './random.ts'
import { cachesOf, REFRESH_AHEAD, type Scenario } from './scenario.ts'

/** Mean seconds between two asks of one user that reach one cache. */
function gapOf(scenario: Scenario): number {
  const { opensPerDay, useSeconds, askSeconds } = scenario
  return (DAY * cachesOf(scenario)) / (opensPerDay * (1 + useSeconds / askSeconds))
}

/**
 * How likely a cache's last session of a user is of an age, for each second of it, were all asks alike: even up to
 * the renewal, then as likely as nobody asked since. Good enough to begin with.
 */
export function ageDensity(scenario: Scenario, age: number): number {
  const [due, gap] = [REFRESH_AHEAD * scenario.sessionSeconds, gapOf(scenario)]
  return Math.exp(-Math.max(0, age - due) / gap) / (due + gap)
}

/** An age drawn by that law, in seconds. */
export function drawAge(scenario: Scenario, random: Random): number {
  const [due, gap] = [REFRESH_AHEAD * scenario.sessionSeconds, gapOf(scenario)]
  const at = random.uniform() * (due + gap)
  return at < due ? at : due + random.exponential(gap)
}
