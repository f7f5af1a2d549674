import { ossAllows } from '../iam/evaluate.ts'
import { type Operation, OSS_ACTIONS } from '../iam/oss-actions.ts'
import type { Policy } from '../iam/policy.ts'
import type { Session } from '../sessions.ts'
import type { User, World } from '../world.ts'

/**
 * The rights of a caller, in layers. Every layer must allow an operation; a layer allows it if one of its policies
 * does. The owner has no layers and may do everything.
 */
export type Principal = 'owner' | readonly (readonly Policy[])[]

/** The target of an operation. `key` is absent for a bucket operation; `bucket` too for an account operation. */
export type Touched = Readonly<{ bucket?: string | undefined; key?: string }>

/** A sub-user has one layer: the attached policies. */
export function userPrincipal({ policies }: User): Principal {
  return policies === 'owner' ? 'owner' : [policies]
}

/**
 * A session has two layers: its role and its session policy. Without a session policy, it may do all that the role may.
 */
export function sessionPrincipal({ role, policy }: Session): Principal {
  return policy === undefined ? [role.policies] : [role.policies, [policy]]
}

/** Whether this caller may do this. */
export function isAllowed(world: World, principal: Principal, operation: Operation, touched: Touched): boolean {
  if (principal === 'owner') return true
  const resource = { service: 'oss', region: world.region, account: world.accountId, resource: resourceOf(touched) }
  const wanted = { action: OSS_ACTIONS[operation], resource }
  return principal.every((policies) => ossAllows(policies, wanted))
}

/** The account stands for all of its buckets, and only `*` covers it. */
function resourceOf({ bucket = '*', key }: Touched): string {
  return key === undefined ? bucket : `${bucket}/${key}`
}
