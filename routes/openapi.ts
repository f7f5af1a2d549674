import swagger, { type SwaggerTransform } from '@fastify/swagger'
import { z } from 'zod'
import type { App } from '../src/http/fastify.ts'
import { type PublicFile, publicFile, sendFile } from './cached.ts'
import { docsRoutes } from './docs.ts'

/** `GET /openapi.json` and the page that shows it, `GET /docs`. Register it before the routes that it describes. */
export async function openapiRoutes(app: App, version: string): Promise<void> {
  const components = new Map<string, unknown>()
  const withoutBody = new Set<string>()
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'oss-vend',
        version,
        description:
          "Trades a user's token for short-lived credentials that open only this user's part of a JD Cloud OSS bucket. Errors are RFC 9457 problems with a `code` from a fixed list.",
      },
      servers: [{ url: '/' }],
      tags: [{ name: 'credentials' }, { name: 'presigned' }, { name: 'aws' }, { name: 'health' }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    },
    transform: transformTo(components, withoutBody),
    transformObject: (document) => {
      if (!('openapiObject' in document)) return {}
      const { openapiObject } = document
      // @fastify/swagger marks every body as required.
      for (const path of Object.values(openapiObject.paths ?? {})) {
        const { operationId = '', requestBody } = path?.post ?? {}
        if (requestBody && 'content' in requestBody && withoutBody.has(operationId)) requestBody.required = false
      }
      return {
        ...openapiObject,
        components: { ...openapiObject.components, schemas: Object.fromEntries(components) },
      }
    },
  })
  let file: PublicFile | undefined
  app.route({
    method: 'GET',
    url: '/openapi.json',
    schema: { hide: true },
    handler: async (request, reply) => {
      file ??= publicFile('application/json; charset=utf-8', 'no-cache', Buffer.from(JSON.stringify(app.swagger())))
      return sendFile(request, reply, file)
    },
  })
  docsRoutes(app)
}

const contentSchema = z.looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.unknown() })) })

/**
 * Replaces the Zod schemas of a route by JSON Schema. Schemas with a title become components. Operations with an
 * optional body are added to `withoutBody`.
 */
function transformTo(components: Map<string, unknown>, withoutBody: Set<string>): SwaggerTransform {
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
    const { params, body: given, response, ...rest } = schema ?? {}
    if (given instanceof z.ZodPrefault && rest.operationId) withoutBody.add(rest.operationId)
    const body = given instanceof z.ZodPrefault ? given.unwrap() : given
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
