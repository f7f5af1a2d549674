import type { ErrorCode } from '../errors.ts'
import type { Pressure } from './overload.ts'
import type { Limit } from './rate-limits.ts'
import type { Cut } from './turns.ts'

/** What the listener reports of itself. */
export type HttpMetrics = Readonly<{
  /** A request was answered, or its client left. `route` is the pattern of a route, or `unknown`. */
  answered(request: Readonly<{ method: string; route: string; status: number; seconds: number }>): void
  /** A request for a vend was answered. `policy` is the name of a loaded template, or `unknown`. */
  vended(policy: string, outcome: 'issued' | ErrorCode): void
  /** So many more vends are under way. */
  vendsRunning(change: 1 | -1): void
  /** A request was refused with `rate_limited`. */
  rateLimited(limit: Limit): void
  /** Redis stopped answering, and this replica counts for its rate limits alone. */
  countsAlone(): void
  /** A connection was closed because there were too many. */
  connectionRefused(): void
  /** A connection was closed before its time. */
  connectionCut(reason: Cut): void
  /** Requests began to be shed. */
  overloaded(reason: keyof Pressure): void
  /** A request was refused with `overloaded`. */
  requestShed(): void
}>
