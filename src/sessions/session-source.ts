import type { Grant } from '../policy/grant/grant.ts'
import type { Session } from './session.ts'

/**
 * The caller who causes a call to STS, or the name of a session that many callers share. Turns are counted by it, and the
 * new sessions of callers; nothing else.
 */
export type Owner = Readonly<{ issuer: string; subject: string } | { shared: string }>

/** A caller's needs: the remaining life of the session, and the time to wait for it. */
export type Needs = Readonly<{
  owner: Owner
  /** Milliseconds that the session must still have. */
  validityMs: number
  /** Monotonic clock: no call to STS begins after it. A call that has begun goes on. */
  until: number
  /** For a caller who still has a session: gives way to callers who have none, and never waits for a turn. */
  background?: boolean
  /** For a caller whose session the store refuses: no cache answers, only STS. */
  fresh?: boolean | undefined
}>

/** Where a session comes from. Each level wraps the next and answers from itself what it can. */
export type SessionSource = Readonly<{
  /** @throws {VendError} upstream_denied, upstream_unavailable, upstream_timeout, rate_limited, not_ready */
  session(grant: Grant, needs: Needs): Promise<Session>
  /** Refuses what is still to come, ends what is under way, and resolves when nothing is. */
  close(): Promise<void>
}>
