import { z } from 'zod'
import type { ErrorCode } from '../src/errors.ts'
import type { Grant } from '../src/policy/grant/grant.ts'
import { TEMPLATE_NAME } from '../src/policy/template/template.ts'

/** The name of a policy template. */
export const policyName = z
  .string()
  .regex(TEMPLATE_NAME, 'is not the name of a policy')
  .describe('Name of a policy template. `GET /v1/policies` lists them.')
  .meta({ examples: ['user-upload'] })

/** A time as answers show it. */
export const instant = z.string().meta({ format: 'date-time' })

/** Values of a template's parameters. */
export const paramValues = z
  .record(
    z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/u),
    z.union([z.string().min(1).max(2048), z.int()], 'must be a string or a whole number'),
  )
  .describe("Values of the template's parameters, by name.")

/** The duration of a session, in seconds. */
export const duration = z
  .int()
  .min(900)
  .max(43_200)
  .describe(
    "Duration of the session: from 3600 (900 on stores other than JD Cloud) to the template's duration, which is the default.",
  )

/** A restriction. `restrict` has the other rules. */
export const restriction = z
  .strictObject({
    actions: z
      .array(z.string().max(64))
      .min(1)
      .max(16)
      .optional()
      .describe('The only actions that the session has, such as oss:GetObject. Each must be an action of the policy.'),
    prefix: z
      .string()
      .min(1)
      .max(1024)
      .optional()
      .describe(
        'The only keys that the session opens start with this prefix. The policy must open all of them. For a folder, end it with a slash.',
      ),
  })
  .describe(
    'For credentials that are handed on: leaves of what the policy gives only what is asked for here. Anything that the policy does not give is refused.',
  )

/** The grant, as answers show it. */
export const grantSchema = z.strictObject({
  policy: z.string().describe('Name of the policy template.'),
  actions: z.array(z.string()).describe('The OSS actions that the session allows.'),
  resources: z.array(z.string()).describe('The JRNs that the session allows them on.'),
  roleSessionName: z.string().describe('Name of the session in the operation audit of JD Cloud.'),
  durationSeconds: z.int().describe('Length of the session.'),
})

/** Converts a grant to this shape. */
export function presentGrant(grant: Grant): z.infer<typeof grantSchema> {
  return {
    policy: grant.template,
    actions: [...grant.actions],
    resources: [...grant.resources],
    roleSessionName: grant.roleSessionName,
    durationSeconds: grant.durationSeconds,
  }
}

/** The refusals of a request for credentials or signatures. */
export const VEND_ERRORS: readonly ErrorCode[] = [
  'invalid_request',
  'unauthenticated',
  'caller_denied',
  'policy_not_allowed',
  'policy_not_found',
  'payload_too_large',
  'unsupported_media_type',
  'unsafe_value',
  'policy_too_large',
  'rate_limited',
  'internal_error',
  'upstream_denied',
  'upstream_unavailable',
  'overloaded',
  'upstream_timeout',
]
