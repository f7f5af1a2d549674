import { z } from 'zod'
import { callerOf, requireBearer } from '../src/http/authenticated.ts'
import type { App } from '../src/http/fastify.ts'
import { problemResponses } from '../src/http/problem.ts'
import { METHODS } from '../src/oss/presigned-url.ts'
import { countOf, keysOf } from '../src/vending/signing-request.ts'
import type { Services } from './services.ts'
import {
  BODY_LIMIT_BYTES,
  chargeBatch,
  contentType,
  lifeFields,
  logSigned,
  MAX_SIGNATURES,
  objectKey,
  presentLife,
  SIGNING_ERRORS,
  signingFields,
} from './signed.ts'
import { namingPolicy } from './vended.ts'

const targets = {
  ...signingFields,
  key: objectKey.optional().describe('The key of one object. Either key or keys.'),
  keys: z.array(objectKey).min(1).max(MAX_SIGNATURES).optional().describe('The keys of several objects.'),
}
/** Refinements do not reach JSON Schema: this tells the rule of `superRefine` below. */
const ONE_OR_SEVERAL = { oneOf: [{ required: ['key'] }, { required: ['keys'] }] }
const signedType = contentType.optional().describe('The client must send exactly this Content-Type.')

const requestSchema = z
  .discriminatedUnion(
    'operation',
    [
      z
        .strictObject({
          ...targets,
          operation: z.enum(['GetObject', 'HeadObject', 'DeleteObject']).describe('What the URL is for.'),
        })
        .meta({ ...ONE_OR_SEVERAL, title: 'Get, head or delete' }),
      z
        .strictObject({
          ...targets,
          operation: z.literal('PutObject').describe('What the URL is for.'),
          contentType: signedType,
          contentMd5: z
            .string()
            .regex(/^[A-Za-z0-9+/]{22}==$/u, 'is not the base64 of an MD5')
            .optional()
            .describe(
              'The client must send exactly this Content-MD5, so the store takes no other content. With key only.',
            ),
        })
        .meta({ ...ONE_OR_SEVERAL, dependentRequired: { contentMd5: ['key'] }, title: 'Put' }),
      z
        .strictObject({
          ...targets,
          operation: z.literal('CreateMultipartUpload').describe('What the URL is for.'),
          contentType: signedType,
        })
        .describe('The first step of a multipart upload. The answer of the store has the UploadId.')
        .meta({ ...ONE_OR_SEVERAL, title: 'Begin a multipart upload' }),
      z
        .strictObject({
          ...signingFields,
          operation: z.literal('MultipartUpload').describe('What the URLs are for.'),
          key: objectKey.describe('The key of the object.'),
          uploadId: z
            .string()
            .regex(/^[!-~]{1,1024}$/u, 'is not an UploadId')
            .describe('As the store answered to CreateMultipartUpload.'),
          partNumbers: z
            .array(z.int().min(1).max(10_000))
            .min(1)
            .max(MAX_SIGNATURES)
            .describe('The parts to sign now. Ask again for the next ones.'),
        })
        .describe('The second step: URLs for the parts, one to complete the upload, and one to abort it.')
        .meta({ title: 'Parts of a multipart upload' }),
    ],
    'is not an operation that can be signed',
  )
  .superRefine((body, context) => {
    const refuse = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message })
    if (!('keys' in body) || body.keys === undefined) {
      if (body.key === undefined) refuse('key', 'is required, or keys')
      return
    }
    if (body.key !== undefined) refuse('keys', 'must not be given with key')
    if ('contentMd5' in body && body.contentMd5 !== undefined) refuse('contentMd5', 'belongs to one key')
  })
  .meta({
    title: 'PresignedUrlsRequest',
    description: 'One operation on one key, or on several.',
    examples: [
      { policy: 'user-upload', operation: 'PutObject', key: 'users/alice/photo.jpg', contentType: 'image/jpeg' },
      { policy: 'user-files', operation: 'GetObject', keys: ['users/alice/a.jpg', 'users/alice/b.jpg'] },
      { policy: 'user-upload', operation: 'CreateMultipartUpload', key: 'users/alice/film.mp4' },
      {
        policy: 'user-upload',
        operation: 'MultipartUpload',
        key: 'users/alice/film.mp4',
        uploadId: 'example-upload-id',
        partNumbers: [1, 2, 3],
      },
    ],
  })

type Operation = keyof typeof METHODS
const OPERATIONS = Object.keys(METHODS).filter((name): name is Operation => Object.hasOwn(METHODS, name))

const responseSchema = z
  .strictObject({
    urls: z
      .array(
        z.strictObject({
          operation: z.enum(OPERATIONS).describe('The S3 operation that the URL is for.'),
          key: z.string().describe('The key of the object.'),
          partNumber: z.int().optional().describe('For UploadPart.'),
          method: z.enum(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']).describe('Send the request with this method.'),
          url: z.string().describe('A secret: anyone who has it can make this request until it expires.'),
          headers: z.record(z.string(), z.string()).describe('Send these headers exactly so.'),
        }),
      )
      .describe('In the order of the request. For MultipartUpload, the last two complete and abort the upload.'),
    ...lifeFields,
  })
  .meta({
    title: 'PresignedUrls',
    description: 'A signed URL for each operation and key.',
    examples: [
      {
        urls: [
          {
            operation: 'PutObject',
            key: 'users/alice/photo.jpg',
            method: 'PUT',
            url: 'https://s3.cn-north-1.jdcloud-oss.com/test-app/users/alice/photo.jpg?X-Amz-Signature=EXAMPLE',
            headers: { 'content-type': 'image/jpeg' },
          },
        ],
        expiration: '2026-01-01T00:15:00Z',
        expiresInSeconds: 900,
      },
    ],
  })

/** `POST /v1/presigned-urls`: URLs for clients that hold no credentials. */
export function presignedUrlsRoutes(app: App, { authenticate, signing }: Services): void {
  app.route({
    method: 'POST',
    url: '/v1/presigned-urls',
    bodyLimit: BODY_LIMIT_BYTES,
    schema: {
      operationId: 'createPresignedUrls',
      summary: 'Sign URLs for objects that the policy opens to this caller',
      description: 'All URLs are signed, or none. Ten URLs count as one request for the limit of callers.',
      tags: ['presigned'],
      security: [{ bearer: [] }],
      body: requestSchema,
      response: {
        200: { description: 'The signed URLs.', content: { 'application/json': { schema: responseSchema } } },
        ...problemResponses(...SIGNING_ERRORS),
      },
    },
    config: { vends: true },
    onRequest: requireBearer(authenticate),
    handler: async (request, reply) => {
      const { policy, params, operation } = request.body
      const keys = keysOf(request.body).map(({ key }) => key)
      const told = await namingPolicy(request, { policy, params, operation, keys }, async () => {
        await chargeBatch(request, countOf(request.body))
        return signing.signUrls(callerOf(request), request.body)
      })
      logSigned(request, reply, told, operation)
      return { urls: [...told.signed], ...presentLife(told) }
    },
  })
}
