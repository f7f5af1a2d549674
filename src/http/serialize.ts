import fastJson from 'fast-json-stringify'
import type { FastifySerializerCompiler } from 'fastify/types/schema.js'
import { z } from 'zod'

type Write = (data: unknown) => string

/**
 * Makes the writer of an answer from its schema, once for each schema. What the schema does not name is left out, so an
 * object that holds more than it should tells nobody.
 */
export function createSerializerCompiler(): FastifySerializerCompiler<unknown> {
  const writers = new Map<z.ZodType, Write>()
  return ({ schema }) => {
    if (!(schema instanceof z.ZodType)) throw new TypeError('a response schema must be of zod')
    const known = writers.get(schema)
    if (known) return known
    const write = writerOf(schema)
    writers.set(schema, write)
    return write
  }
}

/** See {@link createSerializerCompiler}. */
export function writerOf(schema: z.ZodType): Write {
  const { $schema, ...json } = z.toJSONSchema(schema, { io: 'output' })
  return fastJson(jsonSchema.parse(json))
}

const jsonSchema = z.looseObject({})
