import { simulateCohorts } from './cohorts.ts'
import { simulateExactly } from './exact.ts'
import { type Limits, limitsOf } from './limits.ts'
import { createRandom } from './random.ts'
import type { Scenario } from './scenario.ts'
import { simulateSigned } from './signed.ts'
import type { Day } from './tally.ts'

/** A scenario, its day, and the load on replicas and STS. */
export type Run = Readonly<{ scenario: Scenario; day: Day; limits: Limits }>

/** @param exact follow each user: for up to `EXACT_USERS`, and without signed URLs */
export function simulate(scenario: Scenario, exact = false): Run {
  const random = createRandom(scenario.seed)
  const by = scenario.mode === 'signed-urls' ? simulateSigned : exact ? simulateExactly : simulateCohorts
  const day = by(scenario, random)
  return { scenario, day, limits: limitsOf(scenario, day) }
}
