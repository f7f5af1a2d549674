import { stsAllows } from '../iam/evaluate.ts'
import { parseJrn } from '../iam/jrn.ts'
import type { Session } from '../sessions.ts'
import type { Role, User, World } from '../world.ts'
import { Refusal } from './refusals.ts'
import { type AssumeRoleInfo, readSessionPolicy } from './request.ts'

const MIN_SESSION_SECONDS = 3600

/**
 * Lets a user assume a role, if the user's policies allow it and the role trusts the user.
 *
 * @throws Refusal
 */
export function assumeRole(world: World, user: User, info: AssumeRoleInfo): Session {
  const policy = info.policy === undefined ? undefined : readSessionPolicy(info.policy)
  const role = world.roles.get(info.roleJrn)
  if (!role) throw new Refusal('roleUnknown')
  if (!mayAssume(user, role)) throw new Refusal('userNotPermitted')
  if (!role.trusts.includes(user.name)) throw new Refusal('userNotTrusted')

  const seconds = info.durationSeconds ?? MIN_SESSION_SECONDS
  if (seconds < MIN_SESSION_SECONDS || seconds > role.maxSessionSeconds) {
    throw new Refusal('durationOutOfRange', ['assumeRoleInfo.durationSeconds'])
  }
  return world.sessions.issue({ role, sessionName: info.roleSessionName, policy }, seconds)
}

function mayAssume({ policies }: User, role: Role): boolean {
  if (policies === 'owner') return true
  const resource = parseJrn(role.jrn)
  return resource !== undefined && stsAllows(policies, { action: 'sts:assumeRole', resource })
}
