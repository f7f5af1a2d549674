import type { Policy } from '../../src/policy/document.ts'
import { evaluate } from '../../src/policy/evaluate.ts'
import { OPERATION_ACTIONS, type Operation, operationResource } from '../../src/policy/operations.ts'
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

/**
 * Whether somebody may do this. `Deny` is passed over, because JD Cloud documents it as not yet effective for OSS: what
 * relies on it must fail here too.
 */
export function isAllowed(world: World, principal: Principal, operation: Operation, touched: Touched): boolean {
  if (principal === 'owner') return true
  const { bucket = '', key } = touched
  const where = { region: world.region, account: world.accountId, bucket, ...(key !== undefined && { key }) }
  const request = { action: OPERATION_ACTIONS[operation], resource: operationResource(operation, where) }
  return principal.every((layer) => layer.some((policy) => evaluate(policy, request, 'ignored').allowed))
}
