import { z } from 'zod'
import { parseJrn } from './jrn.ts'

/** STS's limit for a session policy, in bytes of UTF-8. */
export const MAX_SESSION_POLICY_BYTES = 2048

/** Accepts one text or a list, and returns a list. */
const texts = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .transform((value): readonly string[] => (typeof value === 'string' ? [value] : value))

// Strict: an unknown element, such as `NotResource` or a misspelled `Resource`, could widen the policy. `Principal`
// belongs to bucket policies, so it is refused too.
const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: texts,
  Resource: texts,
  Condition: z.record(z.string(), z.unknown()).optional(),
})

const policySchema = z.strictObject({
  // JD Cloud's documentation uses both forms.
  Version: z.union([z.literal('3'), z.literal(3)]).transform((): '3' => '3'),
  Statement: z.array(statementSchema).min(1),
})

/** A statement of a policy, with lists. */
export type Statement = Readonly<z.output<typeof statementSchema>>

/** An IAM policy, version 3. */
export type Policy = Readonly<{ Version: '3'; Statement: readonly Statement[] }>

/** Parses the text of a session policy; undefined if STS would refuse it. */
export function parseSessionPolicy(text: string): Policy | undefined {
  if (Buffer.byteLength(text) > MAX_SESSION_POLICY_BYTES) return undefined
  const { data } = policySchema.safeParse(parseJson(text))
  const resources = data?.Statement.flatMap(({ Resource }) => Resource) ?? []
  return resources.every((resource) => resource === '*' || parseJrn(resource)) ? data : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
