import { z } from 'zod'
import { nearest } from '../../lib/nearest.ts'
import { isOperation, OPERATION_ACTIONS, OSS_ACTIONS } from '../language/operations.ts'

/** One line of an example: `<operation>` or `<operation> <key>`. */
export const operationSchema = z
  .string()
  .meta({ pattern: `^(?:${Object.keys(OPERATION_ACTIONS).join('|')})(?: .+)?$` })
  .transform((line, context) => {
    const [, operation = '', key] = /^(\S+)(?: (.+))?$/su.exec(line) ?? []
    if (!isOperation(operation)) {
      const meant = nearest(operation.replace(/^\w+:/u, ''), Object.keys(OPERATION_ACTIONS)) ?? 'PutObject'
      context.addIssue({ code: 'custom', message: `does not start with an S3 operation such as ${meant}` })
      return z.NEVER
    }
    if ((OSS_ACTIONS[OPERATION_ACTIONS[operation]] === 'object') !== (key !== undefined)) {
      context.addIssue({
        code: 'custom',
        message: key === undefined ? `${operation} needs a key` : `${operation} takes no key`,
      })
      return z.NEVER
    }
    return { line, operation, ...(key !== undefined && { key }) }
  })

export type ExampleOperation = z.output<typeof operationSchema>

const operations = z.array(operationSchema).default([])

export const exampleSchema = z
  .strictObject({
    caller: z
      .looseObject({ sub: z.string().min(1), issuer: z.string().optional() })
      .describe('The claims of a token, and the short name of its issuer (default: the first one).'),
    at: z
      .union([z.iso.date(), z.iso.datetime()])
      .transform((text) => Date.parse(text))
      .describe('The day or the time of the request, in UTC. Default: now.')
      .optional(),
    params: z.record(z.string(), z.union([z.string(), z.int()])).default({}),
    can: operations.describe('Each <S3 operation> <key> must be allowed.'),
    cannot: operations.describe('Each <S3 operation> <key> must be refused.'),
  })
  .refine(({ can, cannot }) => can.length + cannot.length > 0, 'shows nothing: give can, cannot or both')
