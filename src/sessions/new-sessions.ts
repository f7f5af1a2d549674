import { LRUCache } from 'lru-cache'
import { VendError } from '../errors.ts'
import type { SessionMetrics } from './session-metrics.ts'

/** Limits how many new sessions each caller may cause in a minute: calls to STS are the scarce thing. */
export type NewSessions = Readonly<{
  /**
   * Counts one for the owner. What it returns takes it back, for a vend that made no call.
   * @throws {VendError} `rate_limited`
   */
  take(owner: string): () => void
}>

type Options = Readonly<{
  /** A minute; 0 for no limit. */
  max: number
  monotonic: () => number
  metrics: Pick<SessionMetrics, 'newSessionRefused'>
}>

const WINDOW_MS = 60_000
/** With keys of 43 characters some 20 MB. The caller who was seen longest ago is forgotten first. */
const MAX_OWNERS = 100_000

/** Each caller's minute begins with its first new session. Counted by each replica for itself. */
export function createNewSessions({ max, monotonic, metrics }: Options): NewSessions {
  const windows = new LRUCache<string, { taken: number; readonly endsAt: number }>({ max: MAX_OWNERS })
  return {
    take(owner) {
      if (max === 0) return () => {}
      const now = monotonic()
      const known = windows.get(owner)
      const window = known && known.endsAt > now ? known : { taken: 0, endsAt: now + WINDOW_MS }
      if (window.taken >= max) {
        metrics.newSessionRefused()
        throw new VendError('rate_limited', {
          detail: 'this caller has asked for too many new sessions',
          retryAfterSeconds: Math.ceil((window.endsAt - now) / 1000),
          log: { limit: 'new_sessions' },
        })
      }
      window.taken += 1
      windows.set(owner, window)
      return () => {
        window.taken -= 1
      }
    },
  }
}
