import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type ErrorCode, VendError } from '../src/errors.ts'
import { callerOf, requireBearer } from '../src/http/authenticated.ts'
import type { App } from '../src/http/fastify.ts'
import { readPairs } from '../src/http/pairs.ts'
import { EXAMPLE_REQUEST_ID, errorResponses, problem, problemSchema } from '../src/http/problem.ts'
import { knownError } from '../src/http/server.ts'
import { parse } from '../src/http/validation.ts'
import { paramValues, policyName, restriction } from './schemas.ts'
import type { Services } from './services.ts'
import { expirationOf, logVended, namingPolicy, sendBytes, sentenceOf } from './vended.ts'

/** The AWS SDK for JavaScript waits for one second, with the way there and back. */
const ANSWER_MS = 900

/** AWS SDKs read these four; some refuse an answer that lacks one. */
const responseSchema = z
  .strictObject({
    AccessKeyId: z.string(),
    SecretAccessKey: z.string(),
    Token: z.string(),
    Expiration: z.string().describe('RFC 3339, UTC.'),
  })
  .meta({
    title: 'ContainerCredentials',
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
    config: { decision: true },
    schema: {
      operationId: 'getContainerCredentials',
      summary: 'Give credentials to an AWS SDK that is configured for container credentials',
      description:
        "For AWS_CONTAINER_CREDENTIALS_FULL_URI. Each query parameter is a parameter of the policy, but `restrictTo.actions` (names with commas between them) and `restrictTo.prefix`, which leave less of it. The session has the policy's length. The Authorization header may have the token without `Bearer`.",
      tags: ['aws'],
      security: [{ bearer: [] }],
      params: z.strictObject({ policy: policyName }),
      response: {
        200: { description: 'Credentials', content: { 'application/json': { schema: responseSchema } } },
        ...errorResponses(CODES, errorSchema, (code) => containerProblem(new VendError(code), EXAMPLE_REQUEST_ID)),
      },
    },
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

const CODES: readonly ErrorCode[] = [
  'invalid_request',
  'unauthenticated',
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
