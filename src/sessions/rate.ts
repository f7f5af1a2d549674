/** Spreads calls out to a rate. */
export type Rate = Readonly<{
  /**
   * Takes the next free place.
   * Milliseconds to wait for it; when they are over `mostMs`, nothing is taken.
   */
  reserve(mostMs: number): number | Promise<number>
}>

/** How far ahead of the rate calls may run: an idle tenth of a second is not lost. */
export const BURST_MS = 100

/**
 * The token bucket in the form of the generic cell rate algorithm, which knows one instant and no counter: when the
 * bucket will be full again. A place is reserved ahead of its time, so that those who wait are served in order, and
 * can be told how long it will take.
 */
export function createLocalRate(perSecond: number, monotonic: () => number): Rate {
  const intervalMs = 1000 / perSecond
  let fullAt = Number.NEGATIVE_INFINITY

  return {
    reserve(mostMs) {
      const now = monotonic()
      const from = Math.max(fullAt, now)
      const waitMs = Math.max(0, from - BURST_MS - now)
      if (waitMs <= mostMs) fullAt = from + intervalMs
      return waitMs
    },
  }
}
