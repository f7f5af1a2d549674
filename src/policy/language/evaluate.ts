import { type Policy, parseJrn, type Statement } from './document.ts'
import { matchesWildcard, takesWhole } from './wildcard.ts'

/** A JD Cloud action, and the full JRN, without wildcards, that it touches. */
export type AccessRequest = Readonly<{ action: string; resource: string }>

/**
 * How to read `Deny`, which JD Cloud documents as not yet effective for OSS. A proof that something is shut must hold with
 * `ignored`, and a proof that something is open with `honoured`.
 */
export type DenyReading = 'honoured' | 'ignored'

/** The outcome, with the index of the statement that decided. Without an index nothing matched (default deny). */
export type Decision = Readonly<{ allowed: boolean; statement?: number }>

/**
 * Evaluates one policy for one request. Without a match the answer is no, and an honoured `Deny` beats any `Allow`. OSS
 * ignores `Condition`, so the statement applies without it.
 */
export function evaluate(policy: Policy, request: AccessRequest, deny: DenyReading = 'honoured'): Decision {
  let allow: number | undefined
  for (const [index, statement] of policy.Statement.entries()) {
    if (!covers(statement, request)) continue
    if (statement.Effect === 'Deny') {
      if (deny === 'honoured') return { allowed: false, statement: index }
    } else {
      allow ??= index
    }
  }
  return allow === undefined ? { allowed: false } : { allowed: true, statement: allow }
}

/** Whether every policy allows the request: a session's permissions are role policy ∩ session policy. */
export function allowedByAll(
  policies: readonly Policy[],
  request: AccessRequest,
  deny: DenyReading = 'honoured',
): boolean {
  return policies.length > 0 && policies.every((policy) => evaluate(policy, request, deny).allowed)
}

function covers(statement: Statement, { action, resource }: AccessRequest): boolean {
  return (
    statement.Action.some((pattern) => matchesWildcard(pattern, action)) &&
    statement.Resource.some((pattern) => coversResource(pattern, resource))
  )
}

/** Part by part, so that a `*` in the region cannot reach into the account or the bucket. */
function coversResource(pattern: string, resource: string): boolean {
  if (pattern === '*') return true
  const want = parseJrn(pattern)
  const have = parseJrn(resource)
  if (!want || !have) return false
  return (
    want.service === have.service &&
    takesWhole(want.region, have.region) &&
    takesWhole(want.account, have.account) &&
    matchesWildcard(want.resource, have.resource)
  )
}
