import type { Pressure } from './overload.ts'
import type { Limit } from './rate-limits.ts'
import type { Cut } from './turns.ts'

/** What the listener reports of itself. */
export type HttpMetrics = Readonly<{
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
