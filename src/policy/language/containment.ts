import { parseJrn } from './document.ts'
import { matchesWildcard, takesWhole } from './wildcard.ts'

/** An action on a resource; both may have wildcards. */
export type Allowance = Readonly<{ action: string; resource: string }>

/**
 * Whether one pattern matches everything that another matches. The narrow one's `*` counts as a letter that only a `*`
 * matches.
 */
export const coversPattern = (wide: string, narrow: string): boolean => matchesWildcard(wide, narrow)

/** Whether the wide allowance includes the narrow one: part by part, as `evaluate` reads resources. */
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
