import { z } from 'zod'
import { hasDigest } from './body.ts'
import type { BucketContext } from './context.ts'
import type { CorsRule } from './cors-rules.ts'
import { OssError } from './errors.ts'
import { type OssResponse, xmlResponse } from './response.ts'

// A value in a response header must not end the header.
const pattern = z.string().regex(/^[\x21-\x7e]{1,255}$/u)
const oneStar = pattern.refine((text) => text.split('*').length <= 2)

const configuration = z.object({
  CORSConfiguration: z.object({
    CORSRule: z
      .array(
        z.object({
          ID: z.string().max(255).optional(),
          AllowedOrigin: z.array(oneStar).min(1),
          AllowedMethod: z.array(z.enum(['GET', 'PUT', 'POST', 'DELETE', 'HEAD'])).min(1),
          AllowedHeader: z.array(oneStar).default([]),
          ExposeHeader: z.array(pattern).default([]),
          MaxAgeSeconds: z
            .string()
            .regex(/^\d{1,9}$/u)
            .optional(),
        }),
      )
      .min(1)
      .max(100),
  }),
})

/** PUT bucket?cors */
export async function putBucketCors({ bucket, request, readXml }: BucketContext): Promise<OssResponse> {
  if (!hasDigest(request.headers)) {
    throw new OssError('InvalidRequest', 'Missing required header for this request: Content-MD5')
  }
  const { CORSConfiguration: wanted } = await readXml(configuration)
  bucket.cors.rules = wanted.CORSRule.map(
    (rule): CorsRule => ({
      origins: rule.AllowedOrigin,
      methods: rule.AllowedMethod,
      headers: rule.AllowedHeader,
      exposed: rule.ExposeHeader,
      maxAgeSeconds: rule.MaxAgeSeconds === undefined ? undefined : Number(rule.MaxAgeSeconds),
      id: rule.ID,
    }),
  )
  return { status: 200 }
}

/** GET bucket?cors */
export function getBucketCors({ bucket }: BucketContext): OssResponse {
  if (!bucket.cors.rules) throw new OssError('NoSuchCORSConfiguration')
  return xmlResponse('CORSConfiguration', {
    CORSRule: bucket.cors.rules.map(({ id, origins, methods, headers, exposed, maxAgeSeconds }) => ({
      ID: id,
      AllowedOrigin: origins,
      AllowedMethod: methods,
      AllowedHeader: headers,
      ExposeHeader: exposed,
      MaxAgeSeconds: maxAgeSeconds,
    })),
  })
}

/** DELETE bucket?cors */
export function deleteBucketCors({ bucket }: BucketContext): OssResponse {
  bucket.cors.rules = undefined
  return { status: 204 }
}
