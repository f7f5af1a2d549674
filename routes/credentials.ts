import { z } from 'zod'
import { callerOf, requireBearer } from '../src/http/authenticated.ts'
import type { App } from '../src/http/fastify.ts'
import { problemResponses } from '../src/http/problem.ts'
import type { Vended } from '../src/vending/vending.ts'
import {
  duration,
  grantSchema,
  instant,
  paramValues,
  policyName,
  presentGrant,
  restriction,
  VEND_ERRORS,
} from './schemas.ts'
import type { Services } from './services.ts'
import { expirationOf, logVended, namingPolicy } from './vended.ts'

const requestSchema = z
  .strictObject({
    policy: policyName,
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
    description: 'What a client asks credentials for.',
    examples: [
      { policy: 'user-upload' },
      { policy: 'user-upload', restrictTo: { actions: ['oss:PutObject'], prefix: 'users/alice/inbox/' } },
    ],
  })

const responseSchema = z
  .strictObject({
    credentials: z
      .strictObject({
        accessKey: z.string().describe('Access key ID of the session.'),
        secretKey: z.string().describe('Secret key of the session.'),
        sessionToken: z.string().describe('Token of the session. OSS refuses the keys without it.'),
        expiration: instant.describe(
          'When the credentials expire: RFC 3339, UTC. Request new ones a few minutes earlier.',
        ),
        expiresInSeconds: z.int().describe('The same as seconds from now, for a device whose clock may be wrong.'),
      })
      .describe('A secret. Keep it in memory.'),
    oss: z
      .strictObject({
        endpoint: z.string().describe('Endpoint for any S3 SDK.'),
        region: z.string().describe('Region that requests are signed for.'),
        bucket: z.string().describe('The bucket that the session opens a part of.'),
        prefixes: z
          .array(z.string())
          .describe('Prefixes that object keys must start with. An empty prefix is the whole bucket.'),
        forcePathStyle: z.boolean().describe('Always true: path style works on every store.'),
        chunkedEncoding: z.boolean().describe('Always false: OSS refuses aws-chunked bodies.'),
        requestChecksumCalculation: z
          .literal('WHEN_REQUIRED')
          .describe('For the setting of this name in AWS SDKs, which send aws-chunked bodies without it.'),
        signatureVersion: z.literal('v4').describe('For SDKs that choose another by the name of the endpoint.'),
      })
      .describe('Settings for an S3 client.'),
    grant: grantSchema.describe('What the credentials open.'),
  })
  .meta({
    title: 'Credentials',
    description: 'Credentials, and everything that an S3 client needs beside them.',
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
    schema: {
      operationId: 'createCredentials',
      summary: 'Trade a token for short-lived OSS credentials',
      description:
        'A caller receives the same session until 15 minutes of it are left, or less than `minValiditySeconds`.',
      tags: ['credentials'],
      security: [{ bearer: [] }],
      body: requestSchema,
      response: {
        200: { description: 'Credentials.', content: { 'application/json': { schema: responseSchema } } },
        ...problemResponses(...VEND_ERRORS),
      },
    },
    config: { vends: true },
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
