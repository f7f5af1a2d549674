import type { Denial, DenyFault } from '../config/deny-file.ts'
import type { DenySource } from './denylist.ts'

/** Reports of the denylist to the operator. No line and no metric has a subject or a token. */
export type DenyReport = Readonly<{
  /** A request was refused. */
  denied(by: Denial['by']): void
  /** Other entries are in force. `idle` of them name an issuer that is not configured, such as one that was renamed. */
  changed(source: DenySource, denials: readonly Denial[], idle: number): void
  /** A source cannot be used, and its old entries stay. Told once, until the source is good again. */
  stale(source: DenySource, faults: readonly DenyFault[] | string): void
  /** A source is as it should be. */
  good(source: DenySource): void
}>
