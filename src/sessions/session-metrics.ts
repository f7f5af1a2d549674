import type { Breaker } from './breaker.ts'
import type { Bulkhead } from './bulkhead.ts'
import type { SessionStore } from './session-store.ts'

/** What the levels report of themselves. */
export type SessionMetrics = Readonly<{
  /** A vend looked into the memory: a session was there, a call for one was under way, or one had to be begun. */
  lookedUp(result: 'hit' | 'joined' | 'miss'): void
  /** A session was renewed ahead of time, or not. */
  refreshed(result: 'ok' | 'postponed' | 'failed'): void
  /** A living session had to make room for another. */
  evicted(): void
  /** Shows the sessions in memory, and in how many milliseconds the first of them ends. */
  watchCache(cache: Pick<SessionStore, 'size'> & Readonly<{ nextEndMs: () => number | undefined }>): void
  /** The sessions that replicas share were looked into. */
  lookedUpShared(result: 'hit' | 'miss' | 'ignored' | 'unavailable'): void
  /** A caller caused too many new sessions. */
  newSessionRefused(): void
  /** A call to STS ended: `ok`, or the code of the error. */
  stsCalled(target: string, outcome: string, seconds: number): void
  /** A vend was turned away without a call. */
  shed(target: string, reason: string): void
  /** Shows the breaker and the queue of a target. */
  watchGuard(target: string, guard: Readonly<{ state: Breaker['state']; load: Bulkhead['load'] }>): void
}>
