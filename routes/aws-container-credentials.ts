import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type ErrorCode, VendError } from '../src/errors.ts'
import { callerOf, requireBearer } from '../src/http/authenticated.ts'
import type { App } from '../src/http/fastify.ts'
import { readPairs } from '../src/http/pairs.ts'
import { EXAMPLE_EXTRAS, EXAMPLE_REQUEST_ID, errorResponses, problem, problemSchema } from '../src/http/problem.ts'
import { knownError } from '../src/http/server.ts'
import { parse } from '../src/http/validation.ts'
import type { QueryParameter } from './openapi-document.ts'
import { instant, paramValues, policyName, restriction } from './schemas.ts'
import type { Services } from './services.ts'
import { expirationOf, logVended, namingPolicy, sendBytes, sentenceOf } from './vended.ts'

/** The AWS SDK for JavaScript waits for one second, with the way there and back. */
const ANSWER_MS = 900

/** AWS SDKs read these four; some refuse an answer that lacks one. */
const responseSchema = z
  .strictObject({
    AccessKeyId: z.string().describe('Access key ID of the session.'),
    SecretAccessKey: z.string().describe('Secret key of the session.'),
    Token: z.string().describe('Token of the session.'),
    Expiration: instant.describe('When the credentials expire: RFC 3339, UTC.'),
  })
  .meta({
    title: 'ContainerCredentials',
    description: 'Credentials as AWS SDKs read them. They are a secret.',
    examples: [
      {
        AccessKeyId: 'JDC_EXAMPLEEXAMPLEEXAMPLE0000000',
        SecretAccessKey: 'EXAMPLEEXAMPLEEXAMPLEEXAMPLE0000',
        Token: 'example-session-token',
        Expiration: '2026-01-01T01:00:00Z',
      },
    ],
  })

const errorSchema = z
  .strictObject({
    ...problemSchema.shape,
    message: z.string().describe('The refusal in one sentence.'),
    Code: z.string().describe('The same as `code`.'),
    Message: z.string().describe('The same as `message`.'),
  })
  .meta({ title: 'ContainerProblem', description: 'A problem, with the members in which AWS SDKs look for it.' })

/** `GET /v1/aws/container-credentials/:policy`: credentials as AWS SDKs fetch them inside of a container. */
export function awsContainerCredentialsRoutes(app: App, { authenticate, vending }: Services): void {
  app.route({
    method: 'GET',
    url: '/v1/aws/container-credentials/:policy',
    exposeHeadRoute: false,
    schema: {
      operationId: 'getContainerCredentials',
      summary: 'Give credentials to an AWS SDK that is configured for container credentials',
      description:
        "For `AWS_CONTAINER_CREDENTIALS_FULL_URI`. The session has the policy's length. The service answers within a second, because SDKs wait no longer: with 503 if STS takes longer, and with the session at the next try.",
      tags: ['aws'],
      security: [{ bearer: [] }, { token: [] }],
      params: z.strictObject({ policy: policyName }),
      queryParameters: QUERY,
      response: {
        200: { description: 'Credentials.', content: { 'application/json': { schema: responseSchema } } },
        ...errorResponses(CODES, errorSchema, (code) =>
          containerProblem(new VendError(code, EXAMPLE_EXTRAS[code]), EXAMPLE_REQUEST_ID),
        ),
      },
    },
    config: { vends: true },
    onRequest: requireBearer(authenticate, 'bearer-or-bare'),
    errorHandler: answerError,
    handler: async (request, reply) => {
      const { policy } = request.params
      // No name is set apart for the length of the session or the like: a template may have a parameter of any name.
      const asked = readQuery(request)
      // The call to STS goes on without this caller, whose SDK asks again and finds what it brought.
      const leftMs = Math.max(1, ANSWER_MS - reply.elapsedTime)
      const vended = await namingPolicy(request, { policy, params: asked.params }, () =>
        vending.vend(callerOf(request), { policy, ...asked }, leftMs),
      )
      const { accessKey, secretKey, sessionToken, expiresAt } = vended.session
      const expiration = expirationOf(expiresAt)
      logVended(request, reply, vended, expiration, 'container')
      const body = { AccessKeyId: accessKey, SecretAccessKey: secretKey, Token: sessionToken, Expiration: expiration }
      return sendBytes(reply, 'application/json', JSON.stringify(body))
    },
  })
}

/** The handler reads the query by itself, so no schema of Fastify describes it. */
const QUERY: readonly QueryParameter[] = [
  {
    name: 'params',
    in: 'query',
    description: 'Each query parameter without a dot in its name is a parameter of the policy: `?album=trip`.',
    style: 'form',
    explode: true,
    schema: {
      type: 'object',
      additionalProperties: { type: 'string', minLength: 1, maxLength: 2048 },
      propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$' },
      examples: [{ album: 'trip' }],
    },
  },
  {
    name: 'restrictTo.actions',
    in: 'query',
    description: 'The only actions that the session has, with commas between them. Each must be one of the policy.',
    style: 'form',
    explode: false,
    schema: {
      type: 'array',
      items: { type: 'string', maxLength: 64 },
      minItems: 1,
      maxItems: 16,
      examples: [['oss:PutObject']],
    },
  },
  {
    name: 'restrictTo.prefix',
    in: 'query',
    description: 'The only keys that the session opens start with this prefix. The policy must open all of them.',
    schema: { type: 'string', minLength: 1, maxLength: 1024, examples: ['users/alice/inbox/'] },
  },
]

const CODES: readonly ErrorCode[] = [
  'invalid_request',
  'unauthenticated',
  'caller_denied',
  'policy_not_allowed',
  'policy_not_found',
  'unsafe_value',
  'policy_too_large',
  'rate_limited',
  'internal_error',
  'upstream_denied',
  'upstream_unavailable',
  'overloaded',
  'upstream_timeout',
]

/** No parameter of a policy has a dot in its name, so that none is taken for a restriction. */
const OF_RESTRICTION = 'restrictTo.'
const querySchema = z.strictObject({ params: paramValues, restrictTo: restriction.optional() })

function readQuery({ url }: FastifyRequest): z.infer<typeof querySchema> {
  const [, query = ''] = /^[^?]*\?(.*)$/su.exec(url) ?? []
  const params: [string, string][] = []
  const restrictTo: [string, string | string[]][] = []
  for (const [name, value] of readPairs(query)) {
    if (!name.startsWith(OF_RESTRICTION)) params.push([name, value])
    else {
      const field = name.slice(OF_RESTRICTION.length)
      restrictTo.push([field, field === 'actions' ? value.split(',') : value])
    }
  }
  return parse(querySchema, {
    params: Object.fromEntries(params),
    ...(restrictTo.length > 0 && { restrictTo: Object.fromEntries(restrictTo) }),
  })
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const known = knownError(error, request, reply)
  return reply
    .code(known.status)
    .type('application/problem+json')
    .send(JSON.stringify(containerProblem(known, request.id)))
}

/** Go and Java read lower case, JavaScript upper case, and boto3 shows the whole. */
function containerProblem(error: VendError, requestId: string): z.infer<typeof errorSchema> {
  const { code, detail, errors } = error
  const told = problem(code, requestId, {
    ...(detail !== undefined && { detail }),
    ...(errors && { errors: [...errors] }),
  })
  const message = sentenceOf(error, requestId)
  return { ...told, message, Code: code, Message: message }
}
