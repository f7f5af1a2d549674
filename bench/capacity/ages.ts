import { DAY } from './pattern.ts'
import type { Random } from './random.ts'
import { cachesOf, REFRESH_AHEAD, type Scenario } from './scenario.ts'

/** Mean seconds between two requests of one user that reach the same cache. */
function gapOf(scenario: Scenario): number {
  const { opensPerDay, useSeconds, askSeconds } = scenario
  return (DAY * cachesOf(scenario)) / (opensPerDay * (1 + useSeconds / askSeconds))
}

/**
 * Probability density of the age of a user's last session in a cache, if requests arrive at a constant rate. It is
 * constant until the refresh is due, then falls with the probability of no request since. The simulation starts from
 * it.
 */
export function ageDensity(scenario: Scenario, age: number): number {
  const [due, gap] = [REFRESH_AHEAD * scenario.sessionSeconds, gapOf(scenario)]
  return Math.exp(-Math.max(0, age - due) / gap) / (due + gap)
}

/** Draws an age in seconds from this density. */
export function drawAge(scenario: Scenario, random: Random): number {
  const [due, gap] = [REFRESH_AHEAD * scenario.sessionSeconds, gapOf(scenario)]
  const at = random.uniform() * (due + gap)
  return at < due ? at : due + random.exponential(gap)
}
