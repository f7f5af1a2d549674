import { z } from 'zod'
import { callerOf, requireBearer } from '../src/http/authenticated.ts'
import type { App } from '../src/http/fastify.ts'
import { problemResponses } from '../src/http/problem.ts'
import type { Vended } from '../src/vending/vending.ts'
import { duration, grantSchema, paramValues, policyName, presentGrant } from './schemas.ts'
import type { Services } from './services.ts'

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
      let vended: Vended
      try {
        vended = await vending.vend(callerOf(request), request.body)
      } catch (error) {
        request.log = request.log.child({ policy })
        throw error
      }
      const { grant, from } = vended
      const expiration = expirationOf(vended.credentials.expiresAt)
      const { roleSessionName } = grant
      const milliseconds = Math.round(reply.elapsedTime * 10) / 10
      // The whole story in one line, and told before the credentials are out. Of the request no more than is not known.
      request.log.info({ address: request.ip, policy, roleSessionName, expiration, from, milliseconds }, 'vended')
      request.told = true
      return present(vended, expiration, oss)
    },
  })
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

/** Whole seconds, rounded down: some SDKs read no fraction, and a later time would be a promise not kept. */
const expirationOf = (expiresAt: number) => `${new Date(expiresAt).toISOString().slice(0, 19)}Z`
