import { z } from 'zod'
import { callerOf, requireBearer } from '../src/http/authenticated.ts'
import type { App } from '../src/http/fastify.ts'
import { problemResponses } from '../src/http/problem.ts'
import { choicesIn } from '../src/policy/claims/choice.ts'
import { claimAt } from '../src/policy/claims/claim.ts'
import type { Template } from '../src/policy/template/template.ts'
import type { Services } from './services.ts'

const responseSchema = z
  .strictObject({
    policies: z
      .array(
        z.strictObject({
          name: z.string().describe('The name to ask for credentials by.'),
          description: z.string().describe('What the policy is for, in the words of its author.'),
          durationSeconds: z.int().describe('The longest session. It is also the default.'),
          params: z.record(z.string(), z.unknown()).describe('JSON Schema of the object `params`.'),
        }),
      )
      .describe('Ordered by name.'),
  })
  .meta({
    title: 'Policies',
    description: 'The policies of this caller.',
    examples: [
      {
        policies: [
          {
            name: 'album-upload',
            description: "Upload into one album of the caller's own folder.",
            durationSeconds: 3600,
            params: {
              type: 'object',
              properties: { album: { type: 'string', pattern: '^(?:[a-z0-9-]{1,40})$' } },
              required: ['album'],
              additionalProperties: false,
            },
          },
        ],
      },
    ],
  })

/** `GET /v1/policies`: lists the templates that this caller may use. */
export function policiesRoutes(app: App, { authenticate, vending }: Services): void {
  app.route({
    method: 'GET',
    url: '/v1/policies',
    schema: {
      operationId: 'listPolicies',
      summary: 'List the policies that this caller may use',
      description:
        'Of a parameter that must be one of the values of a claim, the schema lists the values of this caller.',
      tags: ['credentials'],
      security: [{ bearer: [] }],
      response: {
        200: {
          description: 'The policies of this caller.',
          content: { 'application/json': { schema: responseSchema } },
        },
        ...problemResponses(
          'invalid_request',
          'unauthenticated',
          'caller_denied',
          'rate_limited',
          'internal_error',
          'upstream_unavailable',
          'overloaded',
        ),
      },
    },
    onRequest: requireBearer(authenticate),
    handler: async (request) => {
      const caller = callerOf(request)
      return { policies: vending.policiesFor(caller).map((template) => present(template, caller.claims)) }
    },
  })
}

/** A template as this caller sees it: of a parameter with `oneOf`, the caller's own values and nobody else's. */
function present(
  { name, description, durationSeconds, params, target }: Template,
  claims: Readonly<Record<string, unknown>>,
) {
  const properties = Object.entries(params).map(([param, { pattern, oneOf, default: usual, description }]) => {
    const mapped = target?.kind === 'param' && target.name === param ? target.map : undefined
    const own = oneOf && choicesIn(claimAt(claims, oneOf.path))
    const choices = own && mapped ? own.filter((one) => mapped.has(one)) : (own ?? (mapped && [...mapped.keys()]))
    return [
      param,
      {
        type: 'string',
        ...(pattern && { pattern: pattern.source }),
        ...(choices && { enum: choices }),
        ...(usual !== undefined && { default: usual }),
        ...(description !== undefined && { description }),
      },
    ]
  })
  return {
    name,
    description,
    durationSeconds,
    params: {
      type: 'object',
      properties: Object.fromEntries(properties),
      required: Object.keys(params).filter((param) => params[param]?.default === undefined),
      additionalProperties: false,
    },
  }
}
