import { z } from 'zod'
import { MAX_SESSION_POLICY_BYTES, type Policy, parseJrn, policySchema } from '../../src/policy/document.ts'
import { Refusal } from './refusals.ts'

// Strict, though the real one's reading of unknown members is not documented: a misspelled `policy` that was passed
// over in silence would pay out everything that the role has.
const bodySchema = z.strictObject({
  assumeRoleInfo: z.strictObject({
    roleJrn: z.string().regex(/^jrn:iam::\d{1,32}:role\/[A-Za-z0-9_=,.@-]{1,64}$/u),
    roleSessionName: z.string().regex(/^[A-Za-z0-9_=,.@-]{2,64}$/u),
    policy: z.string().optional(),
    durationSeconds: z.int().optional(),
  }),
})

/** What a body asks for, as it was written: no default is filled in. */
export type AssumeRoleInfo = Readonly<z.infer<typeof bodySchema>['assumeRoleInfo']>

/** @throws Refusal `argumentInvalid` with the members at fault. */
export function parseAssumeRoleBody(body: Buffer): AssumeRoleInfo {
  const parsed = bodySchema.safeParse(parseJson(decodeUtf8(body), []))
  if (parsed.success) return parsed.data.assumeRoleInfo
  const fields = parsed.error.issues.map(({ path }) => path.join('.')).filter((field) => field !== '')
  throw new Refusal('argumentInvalid', [...new Set(fields)])
}

const POLICY_FIELD = ['assumeRoleInfo.policy']

/** @throws Refusal `argumentInvalid` when the text is not a session policy that JD Cloud would take. */
export function parseSessionPolicy(text: string): Policy {
  if (Buffer.byteLength(text) > MAX_SESSION_POLICY_BYTES) throw new Refusal('argumentInvalid', POLICY_FIELD)
  const parsed = policySchema.safeParse(parseJson(text, POLICY_FIELD))
  const resources = parsed.data?.Statement.flatMap(({ Resource }) => Resource) ?? []
  if (!parsed.success || !resources.every((resource) => resource === '*' || parseJrn(resource))) {
    throw new Refusal('argumentInvalid', POLICY_FIELD)
  }
  return parsed.data
}

function decodeUtf8(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw new Refusal('argumentInvalid')
  }
}

function parseJson(text: string, fields: readonly string[]): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal('argumentInvalid', fields)
  }
}
