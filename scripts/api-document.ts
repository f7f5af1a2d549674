import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { z } from 'zod'
import { buildApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'

/** A service that calls nobody; none of this reaches the document. */
const ENVIRONMENT = {
  JWT_ISSUER: 'https://login.example.com',
  JWT_AUDIENCE: 'https://api.example.com',
  JDCLOUD_ACCESS_KEY: 'JDC_EXAMPLEEXAMPLEEXAMPLE0000000',
  JDCLOUD_SECRET_KEY: 'EXAMPLEEXAMPLEEXAMPLEEXAMPLE0000',
  JDCLOUD_ACCOUNT_ID: '111111111111',
  JDCLOUD_ROLE_NAME: 'test-role',
  OSS_REGION: 'cn-north-1',
  OSS_BUCKET: 'test-app',
  AUDIT_LOG: 'none',
}

/** The part of JSON Schema that the document uses for fields. */
export const nodeSchema = z.looseObject({
  $ref: z.string().optional(),
  title: z.string().optional(),
  description: z.string().optional(),
  type: z.string().optional(),
  const: z.union([z.string(), z.boolean()]).optional(),
  enum: z.array(z.string()).optional(),
  default: z.unknown().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  required: z.array(z.string()).default([]),
  examples: z.array(z.unknown()).default([]),
  get properties() {
    return z.record(z.string(), nodeSchema).optional()
  },
  get items() {
    return nodeSchema.optional()
  },
  get oneOf() {
    return z.array(nodeSchema).optional()
  },
  get anyOf() {
    return z.array(nodeSchema).optional()
  },
})
export type Node = z.infer<typeof nodeSchema>

const mediaSchema = z.looseObject({ schema: nodeSchema, example: z.unknown().optional() })
const contentSchema = z.record(z.string(), mediaSchema)
const responseSchema = z.looseObject({
  $ref: z.string().optional(),
  description: z.string().optional(),
  content: contentSchema.optional(),
})
const operationSchema = z.looseObject({
  operationId: z.string(),
  summary: z.string(),
  description: z.string().optional(),
  tags: z.array(z.string()).length(1),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        in: z.string(),
        required: z.boolean().default(false),
        description: z.string(),
        example: z.unknown().optional(),
        schema: nodeSchema,
      }),
    )
    .default([]),
  requestBody: z.looseObject({ required: z.boolean().default(false), content: contentSchema }).optional(),
  responses: z.record(z.string(), responseSchema),
})
export type Operation = z.infer<typeof operationSchema>

const documentSchema = z.looseObject({
  info: z.looseObject({ description: z.string() }),
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.partialRecord(z.enum(['get', 'post']), operationSchema)),
  components: z.looseObject({
    schemas: z.record(z.string(), nodeSchema),
    responses: z.record(z.string(), responseSchema),
    headers: z.record(z.string(), z.looseObject({ description: z.string() })),
  }),
})
export type ApiDocument = z.infer<typeof documentSchema>

/** The OpenAPI document of the service, as it publishes it, and as the reference reads it. */
export async function readApi(): Promise<Readonly<{ json: unknown; document: ApiDocument }>> {
  const { app } = await buildApp(readConfig({ ...ENVIRONMENT, JWT_SECRET: randomBytes(48).toString('base64') }), {
    logger: pino({ level: 'silent' }),
  })
  const { body } = await app.inject({ url: '/openapi.json' })
  await app.close()
  const json: unknown = JSON.parse(body)
  return { json, document: documentSchema.parse(json) }
}
