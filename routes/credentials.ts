import { z } from 'zod'
import { callerOf, requireBearer } from '../src/http/authenticated.ts'
import type { App } from '../src/http/fastify.ts'
import { problemResponses } from '../src/http/problem.ts'
import type { Vended } from '../src/vending/vending.ts'
import { duration, grantSchema, paramValues, policyName, presentGrant, restriction, VEND_ERRORS } from './schemas.ts'
import type { Services } from './services.ts'
import { expirationOf, logVended, namingPolicy } from './vended.ts'

const requestSchema = z
  .strictObject({
    policy: policyName.describe('Name of a policy template. GET /v1/policies lists them.'),
    params: paramValues.optional(),
    durationSeconds: duration.optional(),
    restrictTo: restriction.optional(),
    minValiditySeconds: z
      .int()
      .min(900)
      .max(21_600)
      .optional()
      .describe(
        'The session must be valid for at least this many seconds: from 900 (the default) to half of durationSeconds.',
      ),
    fresh: z
      .boolean()
      .optional()
      .describe(
        'True for a new session in place of a cached one: ask once for it when OSS refuses the session that you have. Counts against the limit of new sessions.',
      ),
  })
  .meta({
    title: 'CredentialsRequest',
    examples: [
      { policy: 'user-upload' },
      { policy: 'user-upload', restrictTo: { actions: ['oss:PutObject'], prefix: 'users/alice/inbox/' } },
    ],
  })

const responseSchema = z
  .strictObject({
    credentials: z.strictObject({
      accessKey: z.string(),
      secretKey: z.string(),
      sessionToken: z.string(),
      expiration: z
        .string()
        .describe('When the credentials expire: RFC 3339, UTC. Request new ones a few minutes earlier.'),
      expiresInSeconds: z.int().describe('The same as seconds from now, for a device whose clock may be wrong.'),
    }),
    oss: z.strictObject({
      endpoint: z.string().describe('Endpoint for any S3 SDK.'),
      region: z.string(),
      bucket: z.string(),
      prefixes: z
        .array(z.string())
        .describe('Prefixes that object keys must start with. An empty prefix is the whole bucket.'),
      forcePathStyle: z.boolean(),
      chunkedEncoding: z.boolean().describe('Always false: OSS refuses aws-chunked bodies.'),
      requestChecksumCalculation: z
        .literal('WHEN_REQUIRED')
        .describe('For the setting of this name in AWS SDKs, which send aws-chunked bodies without it.'),
      signatureVersion: z.literal('v4').describe('For SDKs that choose another by the name of the endpoint.'),
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
          expiresInSeconds: 3600,
        },
        oss: {
          endpoint: 'https://s3.cn-north-1.jdcloud-oss.com',
          region: 'cn-north-1',
          bucket: 'test-app',
          prefixes: ['users/alice/'],
          forcePathStyle: true,
          chunkedEncoding: false,
          requestChecksumCalculation: 'WHEN_REQUIRED',
          signatureVersion: 'v4',
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

/** `POST /v1/credentials`: trades a token for short-lived credentials. */
export function credentialsRoutes(
  app: App,
  { authenticate, vending, ossOf, now }: Services & Readonly<{ now: () => number }>,
): void {
  app.route({
    method: 'POST',
    url: '/v1/credentials',
    config: { decision: true },
    schema: {
      operationId: 'createCredentials',
      summary: 'Trade a token for short-lived OSS credentials',
      tags: ['credentials'],
      security: [{ bearer: [] }],
      body: requestSchema,
      response: {
        200: { description: 'Credentials', content: { 'application/json': { schema: responseSchema } } },
        ...problemResponses(...VEND_ERRORS),
      },
    },
    onRequest: requireBearer(authenticate),
    handler: async (request, reply) => {
      const { policy, params } = request.body
      const vended = await namingPolicy(request, { policy, params }, () =>
        vending.vend(callerOf(request), request.body),
      )
      const expiration = expirationOf(vended.session.expiresAt)
      logVended(request, reply, vended, expiration)
      const expiresInSeconds = Math.max(0, Math.floor((vended.session.expiresAt - now()) / 1000))
      return present(vended, { expiration, expiresInSeconds }, ossOf(vended.grant))
    },
  })
}

function present(
  { session, grant }: Vended,
  time: Readonly<{ expiration: string; expiresInSeconds: number }>,
  { endpoint, region, bucket }: ReturnType<Services['ossOf']>,
) {
  return {
    credentials: {
      accessKey: session.accessKey,
      secretKey: session.secretKey,
      sessionToken: session.sessionToken,
      ...time,
    },
    oss: {
      endpoint,
      region,
      bucket,
      prefixes: [...grant.prefixes],
      forcePathStyle: true,
      chunkedEncoding: false,
      requestChecksumCalculation: 'WHEN_REQUIRED' as const,
      signatureVersion: 'v4' as const,
    },
    grant: presentGrant(grant),
  }
}
