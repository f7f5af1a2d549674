import { z } from 'zod'
import { callerOf, requireBearer } from '../src/http/authenticated.ts'
import type { App } from '../src/http/fastify.ts'
import { problemResponses } from '../src/http/problem.ts'
import type { Template } from '../src/policy/template/template.ts'
import type { Services } from './services.ts'

const responseSchema = z
  .strictObject({
    policies: z.array(
      z.strictObject({
        name: z.string(),
        description: z.string(),
        durationSeconds: z.int().describe('The longest session. It is also the default.'),
        params: z.record(z.string(), z.unknown()).describe('JSON Schema of the params object.'),
      }),
    ),
  })
  .meta({
    title: 'Policies',
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
      tags: ['credentials'],
      security: [{ bearer: [] }],
      response: {
        200: { description: 'Policies', content: { 'application/json': { schema: responseSchema } } },
        ...problemResponses('unauthenticated', 'rate_limited', 'internal_error', 'upstream_unavailable', 'overloaded'),
      },
    },
    onRequest: requireBearer(authenticate),
    handler: async (request) => ({ policies: vending.policiesFor(callerOf(request)).map(present) }),
  })
}

function present({ name, description, durationSeconds, params, target }: Template) {
  const properties = Object.entries(params).map(([param, { pattern, description }]) => [
    param,
    {
      type: 'string',
      ...(pattern && { pattern: pattern.source }),
      ...(target?.kind === 'param' && target.name === param && { enum: [...target.map.keys()] }),
      ...(description !== undefined && { description }),
    },
  ])
  return {
    name,
    description,
    durationSeconds,
    params: {
      type: 'object',
      properties: Object.fromEntries(properties),
      required: Object.keys(params),
      additionalProperties: false,
    },
  }
}
