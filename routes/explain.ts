import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../src/errors.ts'
import { callerOf, requireBearer } from '../src/http/authenticated.ts'
import type { App } from '../src/http/fastify.ts'
import { bodyFaultSchema, problemResponses } from '../src/http/problem.ts'
import type { Explanation } from '../src/policy/check/explain.ts'
import { isOperation, OPERATION_ACTIONS, OSS_ACTIONS } from '../src/policy/language/operations.ts'
import { duration, grantSchema, paramValues, policyName, presentGrant, restriction } from './schemas.ts'
import type { Services } from './services.ts'

const OPERATIONS = Object.keys(OPERATION_ACTIONS).filter(isOperation)
const OBJECT_OPERATIONS = OPERATIONS.filter((name) => OSS_ACTIONS[OPERATION_ACTIONS[name]] === 'object')

const operation = z
  .enum(OPERATIONS)
  .describe('An S3 operation to check against the session policy. `PutObject` and its like need a `key`.')

const requestSchema = z
  .strictObject({
    params: paramValues.optional(),
    durationSeconds: duration.optional(),
    restrictTo: restriction.optional(),
    operation: operation.optional(),
    key: z
      .string()
      .min(1)
      .max(1024)
      // The answer names the key, and half of a surrogate pair would be another character there.
      .refine((key) => key.isWellFormed(), 'must be well-formed Unicode')
      .optional()
      .describe('The object key of the operation, if it has one.'),
  })
  .refine(({ operation, key }) => key === undefined || operation !== undefined, {
    path: ['operation'],
    message: 'is required with key',
  })
  .meta({
    title: 'ExplainRequest',
    description: 'What a client would ask credentials for, and one operation to judge.',
    // Refinements do not reach JSON Schema.
    if: { properties: { operation: { enum: OBJECT_OPERATIONS } }, required: ['operation'] },
    // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
    then: { required: ['key'] },
    else: { not: { required: ['key'] } },
    examples: [{ operation: 'PutObject', key: 'users/alice/photo.jpg' }],
  })

const answerSchema = z
  .strictObject({
    operation: z.string().describe('The operation of the request.'),
    action: z
      .string()
      .describe('The OSS action that the operation needs. A copy also needs oss:GetObject on its source.'),
    resource: z.string().describe('The JRN that the operation needs it on.'),
    allowed: z.boolean().describe('Whether the session policy allows it.'),
    statement: z
      .int()
      .optional()
      .describe('Index of the statement that allows it, from 0. Absent if no statement does.'),
    sid: z.string().optional().describe('Sid of this statement.'),
  })
  .describe("Whether the session policy allows the operation. The role's own policy must allow it too.")

const responseSchema = z
  .discriminatedUnion('granted', [
    z.strictObject({
      granted: z.literal(true).describe('A vend would succeed, if STS agrees.'),
      grant: grantSchema.describe('The permissions that the credentials would have.'),
      sessionPolicy: z.unknown().describe('The session policy that a vend would send to STS.'),
      answer: answerSchema.optional(),
    }),
    z.strictObject({
      granted: z.literal(false).describe('A vend would be refused.'),
      refusal: z
        .strictObject({
          code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]).describe('The code of the refusal.'),
          detail: z.string().optional().describe('Why not. It names claims and parameters, never accepted values.'),
          errors: z.array(bodyFaultSchema).optional().describe('The faults of the request.'),
        })
        .describe('The refusal that a vend would answer with.'),
    }),
  ])
  .meta({
    title: 'Explanation',
    description: 'The grant, or the refusal, that the same question to `POST /v1/credentials` would have.',
    examples: [
      {
        granted: true,
        grant: {
          policy: 'user-upload',
          actions: ['oss:PutObject', 'oss:AbortMultipartUpload'],
          resources: ['jrn:oss:*:111111111111:test-app/users/alice/*'],
          roleSessionName: 'user-upload@alice',
          durationSeconds: 3600,
        },
        sessionPolicy: {
          Version: '3',
          Statement: [
            {
              Effect: 'Allow',
              Action: ['oss:PutObject', 'oss:AbortMultipartUpload'],
              Resource: ['jrn:oss:*:111111111111:test-app/users/alice/*'],
            },
          ],
        },
        answer: {
          operation: 'PutObject',
          action: 'oss:PutObject',
          resource: 'jrn:oss:cn-north-1:111111111111:test-app/users/alice/photo.jpg',
          allowed: true,
          statement: 0,
        },
      },
      { granted: false, refusal: { code: 'policy_not_allowed', detail: 'claim "scope" is missing' } },
    ],
  })

/** `POST /v1/policies/:name/explain`: what a vend would answer, without a call to STS. */
export function explainRoutes(app: App, { authenticate, vending }: Services): void {
  app.route({
    method: 'POST',
    url: '/v1/policies/:name/explain',
    schema: {
      operationId: 'explainPolicy',
      summary: 'Explain what this caller would receive, or why not',
      description:
        'Answers without a call to STS. A refusal of the policy is an answer with 200. The body may be left out.',
      tags: ['credentials'],
      security: [{ bearer: [] }],
      params: z.strictObject({ name: policyName }),
      body: requestSchema.prefault({}),
      response: {
        200: { description: 'The grant or the refusal.', content: { 'application/json': { schema: responseSchema } } },
        ...problemResponses(
          'invalid_request',
          'unauthenticated',
          'caller_denied',
          'policy_not_found',
          'payload_too_large',
          'unsupported_media_type',
          'rate_limited',
          'internal_error',
          'upstream_unavailable',
          'overloaded',
        ),
      },
    },
    onRequest: requireBearer(authenticate),
    // The body is optional. Fastify passes a missing body to the schema as null.
    preValidation: async (request) => {
      if (request.headers['content-type'] === undefined) request.body ??= {}
    },
    handler: async (request) => {
      const { operation, key, ...rest } = request.body
      const question = operation && { operation, key }
      return present(vending.explain(callerOf(request), { policy: request.params.name, ...rest }, question))
    },
  })
}

function present(explanation: Explanation): z.infer<typeof responseSchema> {
  if (!explanation.granted) {
    const { code, detail, errors } = explanation.refusal
    return {
      granted: false,
      refusal: { code, ...(detail !== undefined && { detail }), ...(errors && { errors: [...errors] }) },
    }
  }
  const { grant, answer } = explanation
  return {
    granted: true,
    grant: presentGrant(grant),
    sessionPolicy: JSON.parse(grant.policy),
    ...(answer && { answer }),
  }
}
