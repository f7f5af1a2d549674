import { z } from 'zod'
import { callerOf, requireBearer } from '../src/http/authenticated.ts'
import type { App } from '../src/http/fastify.ts'
import { problemResponses } from '../src/http/problem.ts'
import type { Grant } from '../src/policy/grant/grant.ts'
import type { Vended } from '../src/vending/vending.ts'
import { quickJson, sendJson } from './quick-json.ts'
import { duration, grantSchema, paramValues, policyName, presentGrant } from './schemas.ts'
import type { Services } from './services.ts'
import { expirationOf, logVended, namingPolicy } from './vended.ts'

const requestSchema = z
  .strictObject({
    policy: policyName.describe('Name of a policy template, see GET /v1/policies.'),
    params: paramValues.optional(),
    durationSeconds: duration.optional(),
    minValiditySeconds: z
      .int()
      .min(900)
      .max(21_600)
      .optional()
      .describe('Seconds that the session must still have: from 900, the default, to half of durationSeconds.'),
  })
  .meta({ title: 'CredentialsRequest', examples: [{ policy: 'user-upload' }] })

const responseSchema = z
  .strictObject({
    credentials: z.strictObject({
      accessKey: z.string(),
      secretKey: z.string(),
      sessionToken: z.string(),
      expiration: z.string().describe('RFC 3339, UTC. Renew some minutes before.'),
    }),
    oss: z.strictObject({
      endpoint: z.string().describe('Give it to any S3 SDK as its endpoint.'),
      region: z.string(),
      bucket: z.string(),
      prefixes: z.array(z.string()).describe('What keys must start with; an empty one stands for the whole bucket.'),
      forcePathStyle: z.boolean(),
      chunkedEncoding: z
        .boolean()
        .describe('OSS refuses aws-chunked bodies: set requestChecksumCalculation to WHEN_REQUIRED.'),
    }),
    grant: grantSchema,
  })
  .meta({
    title: 'Credentials',
    examples: [
      {
        credentials: {
          accessKey: 'JDC_EXAMPLEEXAMPLEEXAMPLE0000000',
          secretKey: 'EXAMPLEEXAMPLEEXAMPLEEXAMPLE0000',
          sessionToken: 'example-session-token',
          expiration: '2026-01-01T01:00:00Z',
        },
        oss: {
          endpoint: 'https://s3.cn-north-1.jdcloud-oss.com',
          region: 'cn-north-1',
          bucket: 'test-app',
          prefixes: ['users/alice/'],
          forcePathStyle: true,
          chunkedEncoding: false,
        },
        grant: {
          policy: 'user-upload',
          actions: ['oss:PutObject', 'oss:AbortMultipartUpload'],
          resources: ['jrn:oss:*:111111111111:test-app/users/alice/*'],
          roleSessionName: 'user-upload@alice',
          durationSeconds: 3600,
        },
      },
    ],
  })

/** `POST /v1/credentials`: a token and the name of a policy in, short-lived credentials out. */
export function credentialsRoutes(app: App, { authenticate, vending, oss }: Services): void {
  const answerTo = createAnswers(oss)
  app.route({
    method: 'POST',
    url: '/v1/credentials',
    schema: {
      operationId: 'createCredentials',
      summary: 'Trade a token for short-lived OSS credentials',
      tags: ['credentials'],
      security: [{ bearer: [] }],
      body: requestSchema,
      response: {
        200: { description: 'Credentials', content: { 'application/json': { schema: responseSchema } } },
        ...problemResponses(
          'invalid_request',
          'unauthenticated',
          'policy_not_allowed',
          'policy_not_found',
          'payload_too_large',
          'unsupported_media_type',
          'unsafe_value',
          'policy_too_large',
          'rate_limited',
          'internal_error',
          'upstream_denied',
          'upstream_unavailable',
          'overloaded',
          'upstream_timeout',
        ),
      },
    },
    onRequest: requireBearer(authenticate),
    handler: async (request, reply) => {
      const { policy } = request.body
      const vended = await namingPolicy(request, policy, () => vending.vend(callerOf(request), request.body))
      const { expiration, text } = answerTo(vended)
      logVended(request, reply, vended, expiration)
      return sendJson(reply, text)
    },
  })
}

type Answer = Readonly<{ credentials: Vended['credentials']; expiration: string; text: string }>

/** Writes answers. The last of a grant is kept with it: it is the same until its session is renewed. */
function createAnswers(oss: Services['oss']): (vended: Vended) => Answer {
  const write = quickJson(responseSchema)
  const written = new WeakMap<Grant, Answer>()
  return (vended) => {
    const { credentials, grant, again } = vended
    const last = again ? written.get(grant) : undefined
    if (last?.credentials === credentials) return last
    const expiration = expirationOf(credentials.expiresAt)
    const answer = { credentials, expiration, text: write(present(vended, expiration, oss)) }
    if (again) written.set(grant, answer)
    return answer
  }
}

function present({ credentials, grant }: Vended, expiration: string, { endpoint, region, bucket }: Services['oss']) {
  return {
    credentials: {
      accessKey: credentials.accessKey,
      secretKey: credentials.secretKey,
      sessionToken: credentials.sessionToken,
      expiration,
    },
    oss: { endpoint, region, bucket, prefixes: [...grant.prefixes], forcePathStyle: true, chunkedEncoding: false },
    grant: presentGrant(grant),
  }
}
