import { z } from 'zod'
import { type Policy, parseSessionPolicy } from '../iam/policy.ts'
import { Refusal } from './refusals.ts'

// Strict, although JD Cloud does not document how it treats unknown members: if a misspelled `policy` were ignored, the
// session would have all rights of the role.
const bodySchema = z.strictObject({
  assumeRoleInfo: z.strictObject({
    roleJrn: z.string().regex(/^jrn:iam::\d{1,32}:role\/[A-Za-z0-9_=,.@-]{1,64}$/u),
    roleSessionName: z.string().regex(/^[A-Za-z0-9_=,.@-]{2,64}$/u),
    policy: z.string().nullish(),
    durationSeconds: z.int().nullish(),
  }),
})

/** The members of a body as received, without defaults. */
export type AssumeRoleInfo = Readonly<{
  roleJrn: string
  roleSessionName: string
  policy?: string
  durationSeconds?: number
}>

/** @throws Refusal `argumentInvalid` with the faulty members */
export function parseAssumeRoleBody(body: Buffer): AssumeRoleInfo {
  const parsed = bodySchema.safeParse(parseJson(decodeUtf8(body)))
  if (parsed.success) {
    const { policy, durationSeconds, ...names } = parsed.data.assumeRoleInfo
    // Go's and Python's SDKs send null for what is unset.
    return { ...names, ...(policy != null && { policy }), ...(durationSeconds != null && { durationSeconds }) }
  }
  const fields = parsed.error.issues.map(({ path }) => path.join('.')).filter((field) => field !== '')
  throw new Refusal('argumentInvalid', [...new Set(fields)])
}

/** @throws Refusal `argumentInvalid` if JD Cloud would refuse this session policy */
export function readSessionPolicy(text: string): Policy {
  const policy = parseSessionPolicy(text)
  if (!policy) throw new Refusal('argumentInvalid', ['assumeRoleInfo.policy'])
  return policy
}

function decodeUtf8(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw new Refusal('argumentInvalid')
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal('argumentInvalid')
  }
}
