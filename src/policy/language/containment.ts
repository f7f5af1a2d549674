import { parseJrn } from './document.ts'
import { matchesWildcard, takesWhole } from './wildcard.ts'

/** Actions on resources, either with wildcards. */
export type Allowance = Readonly<{ action: string; resource: string }>

/**
 * Whether one wildcard pattern takes everything that another takes. The other's `*` is read as a letter that only a `*`
 * matches: what stands for any text is covered by nothing else.
 */
export const coversPattern = (wide: string, narrow: string): boolean => matchesWildcard(wide, narrow)

/** Whether whoever has the one allowance has the other: part by part, as `evaluate` reads resources. */
export function coversAllowance(wide: Allowance, narrow: Allowance): boolean {
  if (!coversPattern(wide.action, narrow.action)) return false
  if (wide.resource === '*' || wide.resource === narrow.resource) return true
  const [a, b] = [parseJrn(wide.resource), parseJrn(narrow.resource)]
  if (!a || !b) return false
  return (
    a.service === b.service &&
    takesWhole(a.region, b.region) &&
    takesWhole(a.account, b.account) &&
    coversPattern(a.resource, b.resource)
  )
}
