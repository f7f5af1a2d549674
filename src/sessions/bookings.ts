import { LRUCache } from 'lru-cache'

/** When callers who were turned away should ask again: one after the other, as fast as they can be served. */
export type Bookings = Readonly<{
  /**
   * Milliseconds after which this owner should ask again, which are the same until then however often it asks before.
   * The first is told to come in `freeInMs`, each other one `gapMs` after the one before.
   */
  book(owner: string, freeInMs: number, gapMs: number): number
  /**
   * How much of the line the owner may take: all of it when it comes as it was told, none when it comes before, and half
   * when it is new while others are expected.
   */
  share(owner: string): number
  /** The owner has its place. */
  forget(owner: string): void
}>

/** With keys of 43 characters some 20 MB. */
const MAX_OWNERS = 100_000
/** Nobody is told to stay away for longer. */
const MAX_WAIT_MS = 300_000
/** Callers who are told the same second still come at different times of it, and those of several replicas mix. */
const JITTER_MS = 1000

export function createBookings(monotonic: () => number, random: () => number): Bookings {
  const times = new LRUCache<string, number>({ max: MAX_OWNERS })
  let last = Number.NEGATIVE_INFINITY
  return {
    book(owner, freeInMs, gapMs) {
      const now = monotonic()
      let at = times.get(owner) ?? now
      if (at <= now) {
        at = Math.min(Math.max(last, now + freeInMs) + gapMs, now + MAX_WAIT_MS)
        last = at
        times.set(owner, at)
      }
      return at - now + JITTER_MS * random()
    },
    share(owner) {
      const now = monotonic()
      const at = times.get(owner)
      if (at === undefined) return last > now ? 0.5 : 1
      return at > now ? 0 : 1
    },
    forget: (owner) => void times.delete(owner),
  }
}
