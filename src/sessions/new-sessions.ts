import { LRUCache } from 'lru-cache'
import { VendError } from '../errors.ts'
import type { SessionMetrics } from './session-metrics.ts'

/** Limits how many new sessions each caller may cause in a minute: calls to STS are the scarce thing. */
export type NewSessions = Readonly<{
  /**
   * Counts one for the owner.
   * @throws {VendError} `rate_limited`
   */
  take(owner: string, target: string): Taken
}>

/** One that was counted. */
export type Taken = Readonly<{
  /** Takes it back: the vend made no call. */
  giveBack: () => void
  /** The call brought no session. It counts on at this target, whose outage must not shut the caller out of the others. */
  failed: () => void
}>

type Options = Readonly<{
  /** A minute; 0 for no limit. */
  max: number
  monotonic: () => number
  metrics: Pick<SessionMetrics, 'newSessionRefused'>
}>

const WINDOW_MS = 60_000
/** With keys of up to 76 characters some 25 MB. The caller who was seen longest ago is forgotten first. */
const MAX_OWNERS = 100_000

const NOT_COUNTED: Taken = { giveBack: () => {}, failed: () => {} }

/** Each caller's minute begins with its first new session. Counted by each replica for itself. */
export function createNewSessions({ max, monotonic, metrics }: Options): NewSessions {
  const windows = new LRUCache<string, { taken: number; readonly endsAt: number }>({ max: MAX_OWNERS })
  const windowOf = (key: string) => {
    const now = monotonic()
    const known = windows.get(key)
    return known && known.endsAt > now ? known : { taken: 0, endsAt: now + WINDOW_MS }
  }
  const count = (key: string) => {
    const window = windowOf(key)
    window.taken += 1
    windows.set(key, window)
    return window
  }
  return {
    take(owner, target) {
      if (max === 0) return NOT_COUNTED
      const failures = `${owner} ${target}`
      const counted = [windowOf(owner), windowOf(failures)].filter(({ taken }) => taken > 0)
      if (counted.reduce((sum, { taken }) => sum + taken, 0) >= max) {
        metrics.newSessionRefused()
        const endsAt = Math.min(...counted.map((window) => window.endsAt))
        throw new VendError('rate_limited', {
          detail: 'this caller has asked for too many new sessions',
          retryAfterSeconds: Math.ceil((endsAt - monotonic()) / 1000),
          log: { limit: 'new_sessions' },
        })
      }
      const window = count(owner)
      const giveBack = () => {
        window.taken -= 1
      }
      return {
        giveBack,
        failed() {
          giveBack()
          count(failures)
        },
      }
    },
  }
}
