import { fitsWildcard } from '../wildcard.ts'
import { coversResource, type Jrn } from './jrn.ts'
import type { Policy, Statement } from './policy.ts'

/** An operation that a caller requests. */
export type Wanted = Readonly<{ action: string; resource: Jrn }>

/**
 * Whether OSS allows it: some statement must. JD Cloud documents that Deny and Condition have no effect in OSS yet, so
 * they have none here. A policy that relies on one of them must already fail on the sandbox.
 */
export function ossAllows(policies: readonly Policy[], wanted: Wanted): boolean {
  return statementsOn(policies, wanted).some(({ Effect }) => Effect === 'Allow')
}

/**
 * Whether STS allows it: some statement must, and none may deny it. The sandbox cannot evaluate conditions, so an Allow
 * with one does not count, and a Deny with one always does.
 */
export function stsAllows(policies: readonly Policy[], wanted: Wanted): boolean {
  const statements = statementsOn(policies, wanted)
  if (statements.some(({ Effect }) => Effect === 'Deny')) return false
  return statements.some(({ Condition }) => Condition === undefined)
}

function statementsOn(policies: readonly Policy[], { action, resource }: Wanted): Statement[] {
  return policies
    .flatMap(({ Statement }) => Statement)
    .filter(({ Action }) => Action.some((pattern) => fitsWildcard(pattern, action)))
    .filter(({ Resource }) => Resource.some((pattern) => coversResource(pattern, resource)))
}
