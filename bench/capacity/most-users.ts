import { nearest } from './limits.ts'
import type { Scenario } from './scenario.ts'
import { type Run, simulate } from './simulate.ts'

/** The largest number of users that fits, to two digits, and the run with the next number, which does not fit. */
export type MostUsers = Readonly<{ fits: Run; over: Run | undefined }>

/** Numbers with two significant digits, in order: 10, 11 … 99, 100, 110 … up to 1,000,000,000. */
const LAST = 90 * 8
const usersAt = (place: number) => (10 + (place % 90)) * 10 ** Math.floor(place / 90)
const placeOf = (users: number) => {
  const decade = Math.max(0, Math.floor(Math.log10(users)) - 1)
  return Math.min(LAST, Math.max(0, Math.floor(users / 10 ** decade) - 10 + 90 * decade))
}

/**
 * Starts from a guess: the number of users that would reach the nearest limit if every load grew in proportion. Below
 * the limit this holds, so few steps remain.
 * @throws {RangeError} when not even 10 users fit
 */
export function mostUsers(scenario: Scenario): MostUsers {
  const unlimited = 1e9
  const limits = simulate({ ...scenario, quotaPerSecond: unlimited }).limits.limits.map((limit) =>
    limit.name === 'STS quota' ? { ...limit, used: (limit.used * unlimited) / scenario.quotaPerSecond } : limit,
  )
  const guess = placeOf(scenario.users / nearest(limits).used)

  let fits: Run | undefined
  let over: Run | undefined
  let good = -1
  let bad = LAST + 1
  const look = (place: number) => {
    const run = simulate({ ...scenario, users: usersAt(place) })
    if (run.limits.binding === undefined) [good, fits] = [place, run]
    else [bad, over] = [place, run]
  }
  look(guess)
  // Steps away from the guess with growing steps until the limit lies between two numbers, then halves the distance.
  for (let step = 1; bad > LAST && good < LAST; step *= 2) look(Math.min(LAST, good + step))
  for (let step = 1; good < 0 && bad > 0; step *= 2) look(Math.max(0, bad - step))
  while (bad - good > 1) look(Math.floor((good + bad) / 2))
  if (fits === undefined) throw new RangeError('Not even 10 users fit.')
  return { fits, over }
}
