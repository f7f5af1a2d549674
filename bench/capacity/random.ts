import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Draws that repeat for a seed, on every machine. */
export type Random = Readonly<{
  /** From 0 up to, and never, 1. */
  uniform(): number
  /** A whole number from 0 up to, and never, `below`. */
  below(below: number): number
  exponential(mean: number): number
  /** How many of independent events with this mean happen: a whole number. */
  poisson(mean: number): number
}>

/** Up to this mean counted exactly; above it the normal law is within a per cent of it. */
const COUNTED = 30

export function createRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed)
  const uniform = () => uniformFloat64(generator)
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  return {
    uniform,
    below: (below) => Math.floor(uniform() * below),
    exponential: (mean) => -Math.log(1 - uniform()) * mean,
    poisson(mean) {
      if (mean > COUNTED) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()))
      // One uniform number a draw: the count at which the law's sum passes it.
      const at = uniform()
      let chance = Math.exp(-mean)
      let count = 0
      for (let sum = chance; sum < at && chance > 0; sum += chance) {
        count++
        chance *= mean / count
      }
      return count
    },
  }
}
