import type { FastifySchema } from 'fastify'
import { EXAMPLE_REQUEST_ID, problem } from '../src/http/problem.ts'

/** A query parameter that the route reads by itself, as OpenAPI describes it. */
export type QueryParameter = Readonly<{
  name: string
  in: 'query'
  description: string
  style?: 'form'
  explode?: boolean
  schema: Readonly<Record<string, unknown>>
}>

declare module 'fastify' {
  interface FastifySchema {
    queryParameters?: readonly QueryParameter[]
  }
}

/** What @fastify/swagger has no words for, of one operation. */
export type Extras = Readonly<{ optionalBody: boolean; queryParameters: FastifySchema['queryParameters'] }>

type Header = Readonly<{ description: string; required?: true; schema: Readonly<Record<string, unknown>> }>

const NUMBER = { type: 'integer', minimum: 0 } as const

/** The headers of answers, by the name of their component. */
export const HEADERS = {
  'x-request-id': {
    description: 'The id of the request in the log: the one that the client sent, if it is well-formed, or a new one.',
    required: true,
    schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
  },
  date: {
    description: 'The time of the service. A device whose clock is wrong learns it here.',
    required: true,
    schema: { type: 'string' },
  },
  'cache-control': {
    description: 'No cache may keep an answer.',
    required: true,
    schema: { type: 'string', const: 'no-store' },
  },
  'www-authenticate': {
    description: 'Whether a token was missing, or was refused. Never why.',
    required: true,
    schema: { type: 'string', enum: ['Bearer', 'Bearer error="invalid_token"'] },
  },
  'retry-after': { description: 'Seconds to wait before the next try.', schema: NUMBER },
  'ratelimit-limit': { description: 'Requests of this caller, or of this address, in a minute.', schema: NUMBER },
  'ratelimit-remaining': { description: 'How many of them are left.', schema: NUMBER },
  'ratelimit-reset': { description: 'Seconds until the count starts anew.', schema: NUMBER },
  'x-amzn-requestid': {
    description: 'The same as `x-request-id`, where AWS SDKs look for it.',
    required: true,
    schema: { type: 'string' },
  },
} as const satisfies Record<string, Header>

type HeaderName = keyof typeof HEADERS

/** Answers that all routes share, so that no operation repeats them. */
export const INTRODUCTION = `Trades a user's token for short-lived credentials that open only this user's part of a JD Cloud OSS bucket.

Errors are \`application/problem+json\` (RFC 9457) with a \`code\` from a fixed list, on all routes but \`/v1/aws/sts\`. A status from 500 up says nothing but its code. The cause is in the log of the service under the \`requestId\`.

Every path also answers:

- 404 \`not_found\`, if no resource has this path
- 405 \`method_not_allowed\` with \`Allow\`, if the resource does not have this method`

const unparsable = (status: number, description: string) => ({
  description,
  headers: Object.fromEntries(
    (['x-request-id', 'cache-control'] as const).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  ),
  content: {
    'application/problem+json': {
      schema: { $ref: '#/components/schemas/Problem' },
      example: { ...problem('invalid_request', EXAMPLE_REQUEST_ID), status },
    },
  },
})

/** Answers to requests that never reach a route, and so have the same form on all of them. */
export const RESPONSES = {
  RequestTimeout: unparsable(408, '`invalid_request`: The request did not arrive in time.'),
  HeadersTooLarge: unparsable(431, '`invalid_request`: The address and the headers are too large.'),
} as const

type Operation = {
  operationId?: string
  tags?: string[]
  requestBody?: object
  responses?: object
  parameters?: object[]
}

/** Adds to an operation what @fastify/swagger cannot: headers of answers, query parameters, and an optional body. */
export function complete(operation: Operation, { optionalBody, queryParameters = [] }: Extras): void {
  // The plugin marks every body as required.
  if (operation.requestBody && optionalBody) Object.assign(operation.requestBody, { required: false })
  if (queryParameters.length > 0) operation.parameters = [...(operation.parameters ?? []), ...queryParameters]
  for (const [status, response] of Object.entries<object>({ ...operation.responses })) {
    const headers = headersOf(Number(status), operation).map((name) => [name, { $ref: `#/components/headers/${name}` }])
    Object.assign(response, { headers: Object.fromEntries(headers) })
  }
  operation.responses = {
    ...operation.responses,
    408: { $ref: '#/components/responses/RequestTimeout' },
    431: { $ref: '#/components/responses/HeadersTooLarge' },
  }
}

function headersOf(status: number, { operationId, tags }: Operation): HeaderName[] {
  const names: HeaderName[] = ['x-request-id', 'date', 'cache-control']
  if (operationId === 'assumeRoleWithWebIdentity') names.push('x-amzn-requestid')
  if (status === 401) names.push('www-authenticate')
  // STS says 400 for a limit.
  if (status === 429 || status >= 503 || (status === 400 && tags?.includes('aws'))) names.push('retry-after')
  if (!tags?.includes('health')) names.push('ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset')
  return names
}
