import swagger, { type SwaggerTransform } from '@fastify/swagger'
import { z } from 'zod'
import type { App } from '../src/http/fastify.ts'
import { type PublicFile, publicFile, sendFile } from './cached.ts'
import { docsRoutes } from './docs.ts'
import { complete, type Extras, HEADERS, INTRODUCTION, RESPONSES } from './openapi-document.ts'

const SECURITY = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: "The caller's token: `Authorization: Bearer <token>`.",
  },
  token: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: 'The same token without `Bearer`, as some AWS SDKs are configured.',
  },
} as const

const TAGS = [
  { name: 'credentials', description: 'Credentials for an S3 SDK, and what a caller may ask for.' },
  { name: 'presigned', description: 'Signed URLs and forms, for clients without an S3 SDK.' },
  { name: 'aws', description: 'What AWS SDKs and tools ask by configuration alone.' },
  { name: 'health', description: 'Probes.' },
]

/** `GET /openapi.json` and the page that shows it, `GET /docs`. Register it before the routes that it describes. */
export async function openapiRoutes(app: App, version: string): Promise<void> {
  const components = new Map<string, unknown>()
  const extras = new Map<string, Extras>()
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'oss-vend',
        version,
        description: INTRODUCTION,
        license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      },
      servers: [{ url: '/' }],
      tags: TAGS,
      components: { securitySchemes: SECURITY },
    },
    transform: transformTo(components, extras),
    transformObject: (document) => {
      if (!('openapiObject' in document)) return {}
      const { openapiObject } = document
      const operations = Object.values(openapiObject.paths ?? {}).flatMap((path) => [path?.get, path?.post])
      for (const operation of operations) {
        const more = extras.get(operation?.operationId ?? '')
        if (operation && more) complete(operation, more)
      }
      return {
        ...openapiObject,
        components: {
          ...openapiObject.components,
          headers: HEADERS,
          responses: RESPONSES,
          schemas: Object.fromEntries(components),
        },
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

/** Zod's bounds of an integer. An answer needs none, and generators of clients make 64 bits of them. */
const withoutSafeBounds = ({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }) => {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}

/** Replaces the Zod schemas of a route by JSON Schema. Schemas with a title become components. */
function transformTo(components: Map<string, unknown>, extras: Map<string, Extras>): SwaggerTransform {
  const convert = (schema: unknown, io: 'input' | 'output') => {
    if (!(schema instanceof z.ZodType)) return schema
    const { $schema, ...json } = z.toJSONSchema(schema, { io, ...(io === 'output' && { override: withoutSafeBounds }) })
    if (json.title === undefined) return json
    // Zod leaves them out where an input is transformed, because they could be of the output. Here they never are.
    const { examples = json.examples } = schema.meta() ?? {}
    components.set(json.title, examples === undefined ? json : { ...json, examples })
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
    const { params, body: given, response, queryParameters, ...rest } = schema ?? {}
    const optionalBody = given instanceof z.ZodPrefault
    if (rest.operationId) extras.set(rest.operationId, { optionalBody, queryParameters })
    const body = optionalBody ? given.unwrap() : given
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
