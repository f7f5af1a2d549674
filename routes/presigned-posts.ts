import { z } from 'zod'
import { callerOf, requireBearer } from '../src/http/authenticated.ts'
import type { App } from '../src/http/fastify.ts'
import { problemResponses } from '../src/http/problem.ts'
import type { Services } from './services.ts'
import { contentType, lifeFields, logSigned, objectKey, presentLife, SIGNING_ERRORS, signingFields } from './signed.ts'
import { namingPolicy } from './vended.ts'

/** S3's limit for an upload in one request. */
const MAX_BYTES = 5 * 1024 ** 3
const MAX_TYPES = 10

const requestSchema = z
  .strictObject({
    ...signingFields,
    key: objectKey.optional().describe('The key of the object. Either key or keyPrefix.'),
    keyPrefix: objectKey
      .optional()
      .describe('The client chooses a key that starts so. The policy must allow every such key.'),
    maxBytes: z.int().min(1).max(MAX_BYTES).describe('The store refuses larger files.'),
    minBytes: z.int().min(0).max(MAX_BYTES).default(0).describe('The store refuses smaller files.'),
    contentTypes: z
      .array(contentType)
      .min(1)
      .max(MAX_TYPES)
      .refine((types) => new Set(types).size === types.length, 'has a type twice')
      .meta({ uniqueItems: true })
      .optional()
      .describe('The types that the file may have, such as image/png: one form for each.'),
  })
  .superRefine(({ key, keyPrefix, minBytes, maxBytes }, context) => {
    const refuse = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message })
    if (key === undefined && keyPrefix === undefined) refuse('key', 'is required, or keyPrefix')
    if (key !== undefined && keyPrefix !== undefined) refuse('keyPrefix', 'must not be given with key')
    if (minBytes > maxBytes) refuse('minBytes', 'must not be more than maxBytes')
  })
  .meta({
    title: 'PresignedPostsRequest',
    description: 'What the uploads may be.',
    // Refinements do not reach JSON Schema. It has no words for minBytes and maxBytes.
    oneOf: [{ required: ['key'] }, { required: ['keyPrefix'] }],
    examples: [
      {
        policy: 'user-upload',
        keyPrefix: 'users/alice/',
        maxBytes: 10_485_760,
        contentTypes: ['image/png', 'image/jpeg'],
      },
    ],
  })

const responseSchema = z
  .strictObject({
    posts: z
      .array(
        z.strictObject({
          contentType: z.string().optional().describe('The type that the file is stored with.'),
          url: z.string().describe('Where to post the form.'),
          fields: z
            .record(z.string(), z.string())
            .describe(
              'A secret. Send every field, then the file as `file`, the last one. With keyPrefix, another `key` that starts with the prefix may take the place of this one.',
            ),
        }),
      )
      .describe('A form for each content type, in the order of the request; without content types one form.'),
    ...lifeFields,
  })
  .meta({
    title: 'PresignedPosts',
    description: 'A form for each content type.',
    examples: [
      {
        posts: [
          {
            contentType: 'image/png',
            url: 'https://s3.cn-north-1.jdcloud-oss.com/test-app',
            fields: {
              key: 'users/alice/${filename}',
              'content-type': 'image/png',
              'x-amz-algorithm': 'AWS4-HMAC-SHA256',
              'x-amz-credential': 'JDC_EXAMPLE/20260101/cn-north-1/s3/aws4_request',
              'x-amz-date': '20260101T000000Z',
              'x-amz-security-token': 'example-session-token',
              policy: 'ZXhhbXBsZQ==',
              'x-amz-signature': 'example',
            },
          },
        ],
        expiration: '2026-01-01T00:15:00Z',
        expiresInSeconds: 900,
      },
    ],
  })

/** `POST /v1/presigned-posts`: forms that limit the size and the type of an upload. */
export function presignedPostsRoutes(app: App, { authenticate, signing }: Services): void {
  app.route({
    method: 'POST',
    url: '/v1/presigned-posts',
    schema: {
      operationId: 'createPresignedPosts',
      summary: 'Sign forms for uploads with a limit on size and type',
      description: 'The store checks the size and the type of each upload. A form works until it expires, many times.',
      tags: ['presigned'],
      security: [{ bearer: [] }],
      body: requestSchema,
      response: {
        200: { description: 'The signed forms.', content: { 'application/json': { schema: responseSchema } } },
        ...problemResponses(...SIGNING_ERRORS),
      },
    },
    config: { vends: true },
    onRequest: requireBearer(authenticate),
    handler: async (request, reply) => {
      const { policy, params, key, keyPrefix } = request.body
      const asked = { policy, params, operation: 'PostObject', keys: key === undefined ? undefined : [key], keyPrefix }
      const told = await namingPolicy(request, asked, () => signing.signPosts(callerOf(request), request.body))
      logSigned(request, reply, told, asked.operation)
      return { posts: told.signed.map((post) => ({ ...post, fields: { ...post.fields } })), ...presentLife(told) }
    },
  })
}
