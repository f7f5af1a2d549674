import fastJson from 'fast-json-stringify'
import { serializerCompiler } from 'fastify-type-provider-zod'
import { z } from 'zod'

type Route = Readonly<{ schema: unknown; method: string; url: string }>

/**
 * Writes the one answer by code that is made from its schema, and the others as everywhere else. As with zod nothing gets
 * out that the schema does not name: here it is left out, there it is an error. Looking at each value, which came from
 * ourselves, is what is saved.
 */
export function quickJson(answer: z.ZodType): (route: Route) => (data: object) => string {
  const { $schema, ...schema } = z.toJSONSchema(answer, { io: 'output' })
  const write = fastJson(jsonObject.parse(schema))
  return ({ schema: one, ...route }) => {
    if (one === answer) return write
    if (one instanceof z.ZodType) return serializerCompiler({ ...route, schema: one })
    throw new TypeError('a response without a zod schema')
  }
}

const jsonObject = z.looseObject({ type: z.literal('object') })
