import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Random draws that repeat for the same seed on every machine. */
export type Random = Readonly<{
  /** From 0 (included) to 1 (excluded). */
  uniform(): number
  /** A whole number from 0 (included) to `below` (excluded). */
  below(below: number): number
  exponential(mean: number): number
  /** A Poisson draw with this mean. */
  poisson(mean: number): number
}>

/** Up to this mean the draw is exact. Above it, the normal law differs by less than one per cent. */
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
      // Uses one uniform number for each draw: the result is the count at which the cumulative probability exceeds it.
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
