import type { Template } from '../../policy/template/template.ts'
import type { Credentials } from '../../sts/credentials.ts'
import { doctorSession } from '../../sts/own-sessions.ts'
import { count } from '../io.ts'
import { showValues } from '../show.ts'
import { type Assume, type FieldNames, refusedLine } from './assume-role.ts'
import { type Line, notChecked, type Outcome, passed } from './check.ts'
import type { GrantedExample } from './templates.ts'

/** A granted example, with the session that STS gave for it. */
export type AcceptedExample = GrantedExample & Readonly<{ credentials: Credentials }>

/** Whether STS gives sessions with the policies that the examples of a template are granted. */
export async function checkAccepted(
  { name }: Pick<Template, 'name'>,
  granted: readonly GrantedExample[],
  { assume, names, minSessionSeconds }: Readonly<{ assume: Assume; names: FieldNames; minSessionSeconds: number }>,
): Promise<Outcome<readonly AcceptedExample[]>> {
  const different = [...new Map(granted.map((one) => [one.grant.policy, one])).values()]
  if (different.length === 0) return { lines: [notChecked('no example of the template is granted anything here')] }
  const answers = await Promise.all(
    different.map(async ({ example, grant }): Promise<AcceptedExample | Line> => {
      // Not the name of the example's caller: the audit log of the cloud would say that this person was here.
      const roleSessionName = doctorSession(name)
      const answer = await assume({ roleSessionName, policy: grant.policy, durationSeconds: minSessionSeconds })
      if (answer.credentials) return { example, grant, credentials: answer.credentials }
      const who = showValues({ ...example.caller, ...example.params })
      return refusedLine({ ...answer.refusal, why: `for ${who}: ${answer.refusal.why}` }, names)
    }),
  )
  const accepted = answers.filter((answer) => 'credentials' in answer)
  const refused = answers.filter((answer) => 'status' in answer)
  if (refused.length > 0) return { lines: refused }
  return { lines: [passed(`STS accepts its policy for ${count(accepted.length, 'example')}`)], value: accepted }
}
