export { claimAt, parseClaim, quoteClaim } from '../../lib/claim-path.ts'

/** The claim that names one person; several people may share the value of any other claim. */
export const SUBJECT = 'sub'

export const sameClaim = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((step, index) => step === b[index])
