import { type Policy, parseJrn } from './document.ts'
import { evaluate } from './evaluate.ts'
import { matchesWildcard } from './wildcard.ts'

/**
 * Whether the action is allowed on every resource that starts with a prefix: a JRN up to some part of a key. One
 * statement must allow all of them, and none may deny any of them.
 *
 * The `*` after the prefix counts as a letter that only a `*` matches. A pattern that matches it matches anything there.
 */
export function allowsPrefix(policy: Policy, action: string, prefix: string): boolean {
  const denies = policy.Statement.some(
    ({ Effect, Action, Resource }) =>
      Effect === 'Deny' &&
      Action.some((pattern) => matchesWildcard(pattern, action)) &&
      Resource.some((pattern) => mayTouch(pattern, prefix)),
  )
  return !denies && evaluate(policy, { action, resource: `${prefix}*` }).allowed
}

/** False only if no resource with the prefix can match: the two differ before the first `*`. */
function mayTouch(pattern: string, prefix: string): boolean {
  const [fixed = ''] = (parseJrn(pattern)?.resource ?? '').split('*', 1)
  const start = parseJrn(prefix)?.resource ?? ''
  return fixed.startsWith(start) || start.startsWith(fixed)
}
