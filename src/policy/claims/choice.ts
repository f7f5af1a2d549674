import { policyValue } from '../language/value.ts'

/**
 * The values among which a caller may choose: those that `anyOf` finds in the claim, if they may enter a policy. They are
 * the claim itself, its space-separated words, or the items of its list. Nothing for an object, or for a missing claim.
 */
export function choicesIn(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(' ')
      : [value]
  return [...new Set(items.flatMap((item) => policyValue(item) ?? []))]
}
