import fastJson from 'fast-json-stringify'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'

/**
 * Writes an answer by code that is made from its schema. As with zod nothing gets out that the schema does not name: here
 * it is left out, there it is an error. Looking at each value, which came from ourselves, is what is saved.
 */
export function quickJson<T extends z.ZodObject>(answer: T): (data: z.output<T>) => string {
  const { $schema, ...schema } = z.toJSONSchema(answer, { io: 'output' })
  return fastJson(jsonObject.parse(schema))
}

/** Answers with JSON that has been written already. */
export function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(text)
}

const jsonObject = z.looseObject({ type: z.literal('object') })
