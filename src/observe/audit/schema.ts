import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../../errors.ts'

/** How an event ends: given out, not given for a reason that lies with the request, or not given because we could not. */
export type Outcome = 'issued' | 'refused' | 'failed'

/** SHA-256, as base64url. */
const MAC = /^[\w-]{43}$/u
const code = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]])

/** Known of every decision, or of none. */
const request = {
  requestId: z.string().describe('The same as in the log, in the answer and in its x-request-id header.'),
  route: z.string().describe('The route that was asked, such as `/v1/credentials`.'),
  address: z.string().describe('The address of the client, by TRUST_PROXY.'),
  userAgent: z.string().optional().describe("The client's own text, cut at 256 characters."),
  tokenSha256: z
    .string()
    .regex(/^[\da-f]{64}$/u)
    .optional()
    .describe('SHA-256 of the token, in hex. Missing if the request brought none.'),
}

const asked = {
  params: z
    .record(z.string(), z.union([z.string(), z.int()]))
    .optional()
    .describe('Parameters of the template. Of a request that was not granted, only if the template accepts them.'),
  operation: z.string().optional().describe('What was to be signed, such as `PutObject`. For URLs and forms only.'),
  keys: z
    .array(z.string())
    .optional()
    .describe('Keys of objects to sign for. Of a request that was not granted, only if they are well-formed.'),
  keyPrefix: z.string().optional().describe('Beginning of the keys that a form is for.'),
}

const caller = {
  issuer: z.string().describe('Short name of the issuer of the token.'),
  subject: z.string().describe('The user. `hmac:…` with AUDIT_SUBJECT=hmac.'),
}

const issuedSchema = z.strictObject({
  outcome: z.literal('issued'),
  ...request,
  ...caller,
  policy: z.string().describe('Name of the policy template.'),
  target: z.string().describe('Name of the target: account, role and bucket.'),
  ...asked,
  actions: z.array(z.string()).describe("Actions of the caller's grant."),
  resources: z.array(z.string()).describe("Resources of the caller's grant."),
  sessionName: z
    .string()
    .describe('Name of the session in the operation audit of JD Cloud. Many callers share `<policy>.signed-…`.'),
  accessKeyId: z.string().describe('Access key of the session: it names the session, and opens nothing by itself.'),
  expiration: z.iso.datetime().describe('When the credentials, URLs or forms end.'),
  from: z.enum(['cache', 'shared', 'sts']).describe('Where the session was: in memory, in Redis, or just made by STS.'),
  signatures: z.int().optional().describe('How many URLs or forms were signed.'),
})

const withheld = {
  code: code.describe('The error code of the answer.'),
  reason: z.string().optional().describe('More about the code, in words that the log uses as well.'),
  ...request,
  issuer: caller.issuer.optional(),
  subject: caller.subject.optional(),
  policy: z.string().optional().describe('Name of the policy template that was asked for.'),
  ...asked,
  cut: z.literal(true).optional().describe('Long texts and lists of this request were cut.'),
}

const runSchema = z.strictObject({
  version: z.string().describe('Version of the service.'),
  chained: z.boolean().describe('Whether AUDIT_CHAIN_KEY is set.'),
  subject: z.enum(['plain', 'hmac']).describe('The value of AUDIT_SUBJECT.'),
})

const envelope = <T extends string, D extends z.ZodType>(type: T, data: D, description: string) =>
  z
    .strictObject({
      specversion: z.literal('1.0'),
      id: z
        .string()
        .regex(/^\d{12}$/u)
        .describe('Number of the event in its run, from 000000000000, without gaps.'),
      source: z
        .string()
        .regex(/^urn:uuid:[\da-f-]{36}$/u)
        .describe('The run: one start of one replica. Source and id together name an event.'),
      type: z.literal(type),
      time: z.iso.datetime(),
      datacontenttype: z.literal('application/json'),
      data,
      previous: z.string().regex(MAC).optional().describe('The `mac` of the line before. With AUDIT_CHAIN_KEY only.'),
      mac: z
        .string()
        .regex(MAC)
        .optional()
        .describe('HMAC-SHA-256, as base64url, of the line up to `,"mac":`. With AUDIT_CHAIN_KEY only.'),
    })
    .describe(description)

/** Every line of the audit: a CloudEvents 1.0 event in JSON. */
export const eventSchema = z.discriminatedUnion('type', [
  envelope('oss-vend.decision.issued', issuedSchema, 'Credentials, URLs or forms were given out.'),
  envelope(
    'oss-vend.decision.refused',
    z.strictObject({ outcome: z.literal('refused'), ...withheld }),
    'Nothing was given out, for a reason that lies with the request: a code under 500.',
  ),
  envelope(
    'oss-vend.decision.failed',
    z.strictObject({ outcome: z.literal('failed'), ...withheld }),
    'Nothing was given out, for a reason that lies with the service or with STS: a code from 500 up.',
  ),
  envelope('oss-vend.audit.started', runSchema, 'The first event of a run.'),
  envelope('oss-vend.audit.stopped', runSchema, 'The last event of a run that ended in order.'),
])

export type AuditEvent = z.infer<typeof eventSchema>
export type DecisionData = z.infer<typeof issuedSchema> | Withheld
export type RunData = z.infer<typeof runSchema>
type Withheld = Extract<AuditEvent, { type: 'oss-vend.decision.refused' | 'oss-vend.decision.failed' }>['data']

/** The published schema, docs/audit-event.schema.json. */
export function eventJsonSchema(): unknown {
  return { title: 'Audit event of oss-vend', ...z.toJSONSchema(eventSchema) }
}
