import { type Policy, parseJrn, type Statement } from './document.ts'
import { matchesWildcard, takesWhole } from './wildcard.ts'

/** What somebody wants to do: a JD Cloud action, and the full JRN, without wildcards, that it touches. */
export type AccessRequest = Readonly<{ action: string; resource: string }>

/**
 * How to read `Deny`. JD Cloud documents it as not yet effective for OSS, so whoever must be kept out is kept out only
 * when `ignored` refuses too, and whoever must be let in is let in only when `honoured` allows too.
 */
export type DenyReading = 'honoured' | 'ignored'

/** The outcome, with the index of the statement that decided; no index means that nothing matched (default deny). */
export type Decision = Readonly<{ allowed: boolean; statement?: number }>

/**
 * Decides what one JD Cloud policy says of one request: no match is a no, and a `Deny` that is honoured beats any
 * `Allow`. A `Condition` is not effective for OSS and is therefore never relied upon: the statement is read without it.
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

/** Whether every policy allows the request: the effective permission of a session is role policy ∩ session policy. */
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

/** Part by part, so that a `*` in the region can never swallow the account or the bucket. */
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
