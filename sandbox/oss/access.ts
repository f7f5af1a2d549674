import { ossAllows } from '../iam/evaluate.ts'
import { type Operation, OSS_ACTIONS } from '../iam/oss-actions.ts'
import type { Policy } from '../iam/policy.ts'
import type { Session } from '../sessions.ts'
import type { User, World } from '../world.ts'

/**
 * What somebody may do: every layer must allow, and a layer allows when any of its policies does. The owner is bound by
 * no layer.
 */
export type Principal = 'owner' | readonly (readonly Policy[])[]

/** What an operation touches; `key` is missing for an operation on a bucket, `bucket` too for one on the account. */
export type Touched = Readonly<{ bucket?: string | undefined; key?: string }>

/** A sub-user has one layer, the attached policies. */
export function userPrincipal({ policies }: User): Principal {
  return policies === 'owner' ? 'owner' : [policies]
}

/** A session may do what its role and its session policy both allow; without a session policy, all that the role may. */
export function sessionPrincipal({ role, policy }: Session): Principal {
  return policy === undefined ? [role.policies] : [role.policies, [policy]]
}

/** Whether somebody may do this. */
export function isAllowed(world: World, principal: Principal, operation: Operation, touched: Touched): boolean {
  if (principal === 'owner') return true
  const resource = { service: 'oss', region: world.region, account: world.accountId, resource: resourceOf(touched) }
  const wanted = { action: OSS_ACTIONS[operation], resource }
  return principal.every((policies) => ossAllows(policies, wanted))
}

/** The account itself is all of its buckets, which only a `*` covers. */
function resourceOf({ bucket = '*', key }: Touched): string {
  return key === undefined ? bucket : `${bucket}/${key}`
}
