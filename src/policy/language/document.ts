import { z } from 'zod'

/** JD Cloud's IAM policies are limited to this many bytes when they are sent as a session policy. */
export const MAX_SESSION_POLICY_BYTES = 2048

/** A string or several, read as a list. */
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
 * A JD Cloud IAM policy, version 3, as identity, role and session policies share it. The grammar pages write the
 * version as `"3"`, the OSS pages as the number 3: both are read, `"3"` is written. `Principal`, `NotAction` and
 * `NotResource` are refused: a session policy may not carry them.
 */
export const policySchema = z.strictObject({
  Version: z.union([z.literal('3'), z.literal(3)], 'must be "3"').transform(() => '3' as const),
  Statement: z.array(statementSchema).min(1),
})

/** One statement of a {@link Policy}; `Action` and `Resource` are always lists here. */
export type Statement = Readonly<{
  Sid?: string | undefined
  Effect: 'Allow' | 'Deny'
  Action: readonly string[]
  Resource: readonly string[]
  Condition?: Readonly<Record<string, unknown>> | undefined
}>

/** A parsed JD Cloud IAM policy. */
export type Policy = Readonly<{ Version: '3'; Statement: readonly Statement[] }>

/** Splits `jrn:<service>:<region>:<account>:<resource>` into its five parts; undefined when it is not a JRN. */
export function parseJrn(
  text: string,
): { service: string; region: string; account: string; resource: string } | undefined {
  const match = /^jrn:([^:]*):([^:]*):([^:]*):(.+)$/su.exec(text)
  if (!match) return undefined
  const [, service = '', region = '', account = '', resource = ''] = match
  return { service, region, account, resource }
}
