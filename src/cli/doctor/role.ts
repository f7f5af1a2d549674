import type { AssumeRoleRequest } from '../../sts/credentials.ts'
import { type Assume, type Assumed, type FieldNames, refusedLine } from './assume-role.ts'
import { failed, type Outcome, passed } from './check.ts'

/** Asks for the shortest session, which opens nothing. The answer is for `checkKeys` and `checkRole`. */
export async function checkKeys(
  assume: Assume,
  probe: AssumeRoleRequest,
  names: FieldNames,
): Promise<Outcome<Assumed>> {
  const answer = await assume(probe)
  const { refusal } = answer
  // STS judges the signature first, so a refusal of the role means that the keys are good.
  if (refusal && refusal.about !== 'role') return { lines: [refusedLine(refusal, names)] }
  return { lines: [passed('STS knows the access key, and the secret key belongs to it')], value: answer }
}

/** Whether the role can be assumed. */
export function checkRole({ refusal }: Assumed, role: string, names: FieldNames): Outcome<true> {
  if (refusal) return { lines: [refusedLine({ ...refusal, why: `${role}: ${refusal.why}` }, names)] }
  return { lines: [passed(`STS gives sessions of ${role}`)], value: true }
}

type Length = Readonly<{
  probe: AssumeRoleRequest
  /** The longest session that a template asks for, with the template; undefined if there is none. */
  longest: Readonly<{ template: string; seconds: number }> | undefined
  names: FieldNames
}>

/** Whether the role's sessions last as long as templates ask for. STS does not tell the role's own maximum. */
export async function checkLength(assume: Assume, { probe, longest, names }: Length): Promise<Outcome<true>> {
  const least = probe.durationSeconds
  if (!longest || longest.seconds <= least) {
    const message = `sessions of ${least} s, and no template asks for more; STS does not tell the most`
    return { lines: [passed(message)], value: true }
  }
  const { template, seconds } = longest
  const { refusal } = await assume({ ...probe, durationSeconds: seconds })
  if (!refusal) {
    const message = `sessions of ${seconds} s, the longest that a template asks for (${template}); STS does not tell the most`
    return { lines: [passed(message)], value: true }
  }
  if (refusal.about === 'unanswered') return { lines: [refusedLine(refusal, names)] }
  const message = `no session of ${seconds} s, which ${template} asks for; ${least} s works: ${refusal.why}`
  const remedy = `raise the maximum session duration of the role to ${seconds} s, or lower this setting to what the role has`
  return { lines: [failed(message, remedy, names('maxSessionSeconds'))] }
}
