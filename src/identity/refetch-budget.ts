/** How many key-set fetches tokens may cause. */
export type RefetchBudget = Readonly<{
  /** Whether one more is allowed; counts it if so. */
  take(): boolean
  /** Until the next one is allowed. */
  waitMs(): number
}>

type Limits = Readonly<{ burst: number; everyMs: number; now: () => number }>

/** A token bucket that is full at first: `burst` fetches at once, then one more in each `everyMs`. */
export function createRefetchBudget({ burst, everyMs, now }: Limits): RefetchBudget {
  let fullAt = Number.NEGATIVE_INFINITY
  const waitMs = () => Math.max(0, fullAt - now() - (burst - 1) * everyMs)
  return {
    waitMs,
    take() {
      if (waitMs() > 0) return false
      fullAt = Math.max(fullAt, now()) + everyMs
      return true
    },
  }
}
