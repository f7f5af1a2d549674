import { fitsWildcard } from '../wildcard.ts'
import { coversResource, type Jrn } from './jrn.ts'
import type { Policy, Statement } from './policy.ts'

/** One thing that somebody wants to do. */
export type Wanted = Readonly<{ action: string; resource: Jrn }>

/**
 * Whether OSS lets it through: some statement allows it. JD Cloud documents that Deny and Condition have no effect for
 * OSS yet, so they have none here: a policy that relies on one of them must fail on the sandbox already.
 */
export function ossAllows(policies: readonly Policy[], wanted: Wanted): boolean {
  return statementsOn(policies, wanted).some(({ Effect }) => Effect === 'Allow')
}

/**
 * Whether STS lets it through: some statement allows it, and none denies it. The sandbox knows no conditions, so an
 * Allow with one does not count, and a Deny with one always does.
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
