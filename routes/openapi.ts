import swagger, { type SwaggerTransform } from '@fastify/swagger'
import { z } from 'zod'
import { docsRoutes } from './docs.ts'
import type { App } from './services.ts'

/**
 * `GET /openapi.json` and the page that browses it, `GET /docs`. Must be registered before the routes that it
 * describes; everything that the page loads comes from the package.
 */
export async function openapiRoutes(app: App, version: string): Promise<void> {
  const components = new Map<string, unknown>()
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'oss-vend',
        version,
        description:
          'Trades the token that an app user already has for short-lived credentials that open nothing but their own corner of a JD Cloud OSS bucket. Errors are RFC 9457 problems with a `code` from a closed table.',
      },
      servers: [{ url: '/' }],
      tags: [{ name: 'credentials' }, { name: 'health' }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    },
    transform: transformTo(components),
    transformObject: (document) => {
      if (!('openapiObject' in document)) return {}
      const { openapiObject } = document
      return {
        ...openapiObject,
        components: { ...openapiObject.components, schemas: Object.fromEntries(components) },
      }
    },
  })
  app.route({
    method: 'GET',
    url: '/openapi.json',
    schema: { hide: true },
    handler: async (_request, reply) => reply.type('application/json').send(JSON.stringify(app.swagger())),
  })
  docsRoutes(app)
}

const contentSchema = z.looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.unknown() })) })

/** Replaces the zod schemas of a route by JSON Schema; those with a title become components. */
function transformTo(components: Map<string, unknown>): SwaggerTransform {
  const convert = (schema: unknown, io: 'input' | 'output') => {
    if (!(schema instanceof z.ZodType)) return schema
    const { $schema, ...json } = z.toJSONSchema(schema, { io })
    if (json.title === undefined) return json
    components.set(json.title, json)
    return { $ref: `#/components/schemas/${json.title}` }
  }
  const convertResponse = (response: unknown) => {
    const { content, ...rest } = contentSchema.parse(response)
    const converted = Object.entries(content).map(([type, { schema, ...media }]) => [
      type,
      { ...media, schema: convert(schema, 'output') },
    ])
    return { ...rest, content: Object.fromEntries(converted) }
  }
  return ({ schema, url }) => {
    const { params, body, response, ...rest } = schema ?? {}
    const responses = Object.entries(response ?? {}).map(([status, one]) => [status, convertResponse(one)])
    return {
      url,
      schema: {
        ...rest,
        ...(params !== undefined && { params: convert(params, 'input') }),
        ...(body !== undefined && { body: convert(body, 'input') }),
        ...(response !== undefined && { response: Object.fromEntries(responses) }),
      },
    }
  }
}
