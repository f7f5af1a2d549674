import type { FastifySchemaCompiler } from 'fastify'
import type { z } from 'zod'
import { type BodyFault, pointerStep, VendError } from '../errors.ts'

/** The most faults of one body that an answer names. */
const MAX_FAULTS = 16

/** Checks what a route's schemas describe. A message of a schema comes before the words of `parse`. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (data) => {
    try {
      return { value: parse(schema, data) }
    } catch (error) {
      if (error instanceof VendError) return { error }
      throw error
    }
  }

/**
 * Parses what a caller sent.
 * @throws VendError `invalid_request` with the faults under RFC 6901 pointers; a key that has no place gets one of its own
 */
export function parse<T extends z.ZodType>(schema: T, data: unknown): z.output<T> {
  const parsed = schema.safeParse(data, { error: words, reportInput: false })
  if (parsed.success) return parsed.data
  throw new VendError('invalid_request', { errors: parsed.error.issues.flatMap(faultsOf).slice(0, MAX_FAULTS) })
}

function faultsOf(issue: z.core.$ZodIssue): BodyFault[] {
  const at = issue.path.map((step) => `/${pointerStep(String(step))}`).join('')
  if (issue.code !== 'unrecognized_keys') return [{ pointer: at, detail: issue.message }]
  return issue.keys.map((key) => ({ pointer: `${at}/${pointerStep(key)}`, detail: 'is not a known field' }))
}

const NOUNS: Readonly<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'an array',
  string: 'a string',
  // No field takes a fraction.
  number: 'a whole number',
  int: 'a whole number',
  boolean: 'true or false',
}

const UNITS: Readonly<Record<string, string>> = { string: 'characters', array: 'items' }

/** Zod's own words speak of `undefined` and records, which JSON does not have. These quote the schema, never the value. */
function words(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined) return 'is required'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${NOUNS[issue.expected] ?? 'of another type'}`
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`
    case 'too_small':
      return issue.origin in UNITS && issue.minimum === 1
        ? 'must not be empty'
        : `must ${bound('at least', issue.origin, issue.minimum)}`
    case 'too_big':
      return `must ${bound('at most', issue.origin, issue.maximum)}`
    case 'invalid_key':
      return 'is not a valid name'
    default:
      return 'has the wrong form'
  }
}

function bound(most: string, origin: string, limit: number | bigint): string {
  const unit = UNITS[origin]
  return unit === undefined ? `be ${most} ${limit}` : `have ${most} ${limit} ${unit}`
}
