import { z } from 'zod'

/** JD Cloud's limit for a session policy. */
export const MAX_SESSION_POLICY_BYTES = 2048

/** One string or several, as a list. */
export const oneOrMany = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .transform((value) => (typeof value === 'string' ? [value] : value))

const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMany,
  Resource: oneOrMany,
  Condition: z.record(z.string(), z.unknown()).optional(),
})

/**
 * A JD Cloud IAM policy, version 3. The grammar pages write the version as `"3"`, the OSS pages as the number 3: both are
 * read, `"3"` is written. A session policy must not have `Principal`, `NotAction` or `NotResource`.
 */
export const policySchema = z.strictObject({
  Version: z.union([z.literal('3'), z.literal(3)], 'must be "3"').transform(() => '3' as const),
  Statement: z.array(statementSchema).min(1),
})

export type Statement = Readonly<{
  Sid?: string | undefined
  Effect: 'Allow' | 'Deny'
  Action: readonly string[]
  Resource: readonly string[]
  Condition?: Readonly<Record<string, unknown>> | undefined
}>

export type Policy = Readonly<{ Version: '3'; Statement: readonly Statement[] }>

/** Splits `jrn:<service>:<region>:<account>:<resource>` into its parts; undefined if it is not a JRN. */
export function parseJrn(
  text: string,
): { service: string; region: string; account: string; resource: string } | undefined {
  const match = /^jrn:([^:]*):([^:]*):([^:]*):(.+)$/su.exec(text)
  if (!match) return undefined
  const [, service = '', region = '', account = '', resource = ''] = match
  return { service, region, account, resource }
}
