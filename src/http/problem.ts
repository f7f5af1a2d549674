import { z } from 'zod'
import { type BodyFault, ERRORS, type ErrorCode } from '../errors.ts'

/** A fault at one place of a request body. */
export const bodyFaultSchema = z.strictObject({
  pointer: z.string().describe('JSON pointer (RFC 6901) to the place in the request.'),
  detail: z.string().describe('The fault at this place, in English.'),
})

/** The body of every error, RFC 9457, as `application/problem+json`. */
export const problemSchema = z
  .strictObject({
    type: z.string().describe('Always `urn:oss-vend:problem:` and the code.'),
    title: z.string().describe('The meaning of the code, in English. It may be reworded; the code stays.'),
    status: z.int().describe('The HTTP status.'),
    detail: z.string().optional().describe('What was wrong with this request. Never set from 500 up.'),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]).describe('What clients decide by.'),
    requestId: z.string().describe('The same as the header `x-request-id`. Quote it when you report a problem.'),
    errors: z.array(bodyFaultSchema).optional().describe('The faults of the request, up to 16.'),
  })
  .meta({ title: 'Problem', description: 'An error (RFC 9457).' })

export type Problem = z.infer<typeof problemSchema>

/** A problem as it is sent. */
export function problem(
  code: ErrorCode,
  requestId: string,
  extras: Readonly<Pick<Problem, 'detail' | 'errors'>> = {},
): Problem {
  const { status, title } = ERRORS[code]
  const { detail, errors } = status < 500 ? extras : {}
  return {
    type: `urn:oss-vend:problem:${code}`,
    title,
    status,
    ...(detail !== undefined && { detail }),
    code,
    requestId,
    ...(errors && { errors }),
  }
}

/** The `response` part of a route's schema for the errors that it can answer with, with an example for each code. */
export function problemResponses(...codes: ErrorCode[]) {
  return errorResponses(codes, problemSchema, (code) => problem(code, EXAMPLE_REQUEST_ID, EXAMPLE_EXTRAS[code]))
}

/** The same for a dialect that has members beside those of a problem. */
export function errorResponses(codes: readonly ErrorCode[], schema: z.ZodType, example: (code: ErrorCode) => unknown) {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of codes) byStatus.set(ERRORS[code].status, [...(byStatus.get(ERRORS[code].status) ?? []), code])
  return Object.fromEntries(
    [...byStatus].map(([status, alike]) => {
      const description = alike.map((code) => `\`${code}\`: ${ERRORS[code].title}.`).join(' ')
      const examples = alike.map((code) => [code, { value: example(code) }])
      const media = { schema, examples: Object.fromEntries(examples) }
      return [status, { description, content: { 'application/problem+json': media } }]
    }),
  )
}

export const EXAMPLE_REQUEST_ID = '5f0c7e0a-3b8e-4a55-9b7e-0f5d2c1b7a11'

/** What examples of these codes have beside the fixed members. */
export const EXAMPLE_EXTRAS: Readonly<Partial<Record<ErrorCode, Readonly<{ detail?: string; errors?: BodyFault[] }>>>> =
  {
    invalid_request: { errors: [{ pointer: '/policy', detail: 'is required' }] },
    policy_not_allowed: { detail: 'claim "scope" is missing' },
    key_not_allowed: { errors: [{ pointer: '/key', detail: 'PutObject is not allowed on this key' }] },
    unsafe_value: { detail: 'parameter "album" must be 1 to 128 letters, digits and -_.~@+=,|, and not . or ..' },
    rate_limited: { detail: 'this caller has asked too often' },
  }
