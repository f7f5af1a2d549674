import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../errors.ts'

/** A fault at one place of a request body. */
export const bodyFaultSchema = z.strictObject({
  pointer: z.string().describe('RFC 6901, into the request body'),
  detail: z.string(),
})

/** The body of every error, RFC 9457, as `application/problem+json`. */
export const problemSchema = z
  .strictObject({
    type: z.string().describe('`urn:oss-vend:problem:<code>`'),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional().describe('What was wrong with this request. Never set from 500 up.'),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
    requestId: z.string().describe('The same as the x-request-id header; quote it when you report a problem.'),
    errors: z.array(bodyFaultSchema).optional(),
  })
  .meta({ title: 'Problem' })

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
  return errorResponses(codes, problemSchema, (code) => problem(code, EXAMPLE_REQUEST_ID))
}

/** The same for a dialect that has members beside those of a problem. */
export function errorResponses(codes: readonly ErrorCode[], schema: z.ZodType, example: (code: ErrorCode) => unknown) {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of codes) byStatus.set(ERRORS[code].status, [...(byStatus.get(ERRORS[code].status) ?? []), code])
  return Object.fromEntries(
    [...byStatus].map(([status, alike]) => {
      const description = alike.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('. ')
      const examples = alike.map((code) => [code, { value: example(code) }])
      const media = { schema, examples: Object.fromEntries(examples) }
      return [status, { description, content: { 'application/problem+json': media } }]
    }),
  )
}

export const EXAMPLE_REQUEST_ID = '5f0c7e0a-3b8e-4a55-9b7e-0f5d2c1b7a11'
