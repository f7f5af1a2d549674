import { z } from 'zod'
import { type BucketContext, integerParameter } from './context.ts'
import { readCopySource } from './copy.ts'
import { OssError } from './errors.ts'
import { readMetadata } from './metadata.ts'
import { checkOverwrite } from './objects.ts'
import { encodePath } from './percent.ts'
import { parseCopyRange } from './range.ts'
import { type OssResponse, xmlResponse } from './response.ts'
import { md5 } from './store.ts'
import { assemble, type Part, type Upload } from './uploads.ts'

const MAX_PART_NUMBER = 10_000

/** POST object?uploads */
export function createMultipartUpload({ bucket, request }: BucketContext): OssResponse {
  const { id } = bucket.uploads.create(request.key, readMetadata(request.headers))
  return xmlResponse('InitiateMultipartUploadResult', { Bucket: bucket.name, Key: request.key, UploadId: id })
}

/** PUT object?partNumber&uploadId */
export async function uploadPart(context: BucketContext): Promise<OssResponse> {
  if (!context.request.headers.has('content-length')) throw new OssError('MissingContentLength')
  findUpload(context)
  const { etag } = storePart(context, await context.readBody())
  return { status: 200, headers: { etag: `"${etag}"` } }
}

/** PUT object?partNumber&uploadId with `x-amz-copy-source` */
export function uploadPartCopy(context: BucketContext): OssResponse {
  const { body } = readCopySource(context)
  const header = context.request.headers.get('x-amz-copy-source-range')
  const { first, last } =
    header === undefined ? { first: 0, last: body.length - 1 } : parseCopyRange(header, body.length)
  const { etag, lastModified } = storePart(context, body.subarray(first, last + 1))
  return xmlResponse('CopyPartResult', { LastModified: new Date(lastModified).toISOString(), ETag: `"${etag}"` })
}

const completion = z.object({
  CompleteMultipartUpload: z.object({
    Part: z
      .array(z.object({ PartNumber: z.string().regex(/^\d{1,5}$/u), ETag: z.string() }))
      .min(1)
      .max(MAX_PART_NUMBER),
  }),
})

/** POST object?uploadId */
export async function completeMultipartUpload(context: BucketContext): Promise<OssResponse> {
  const { bucket, request, readXml } = context
  const { CompleteMultipartUpload: wanted } = await readXml(completion)
  const upload = findUpload(context)
  const list = wanted.Part.map(({ PartNumber, ETag }) => ({
    number: Number(PartNumber),
    etag: ETag.trim().replace(/^"(.*)"$/u, '$1'),
  }))
  const { body, etag } = assemble(upload, list)
  checkOverwrite(context)
  bucket.put(request.key, body, upload.metadata, etag)
  bucket.uploads.end(upload.id)
  return xmlResponse('CompleteMultipartUploadResult', {
    Location: `${request.scheme}://${request.headers.get('host')}/${bucket.name}/${encodePath(request.key)}`,
    Bucket: bucket.name,
    Key: request.key,
    ETag: `"${etag}"`,
  })
}

/** DELETE object?uploadId */
export function abortMultipartUpload(context: BucketContext): OssResponse {
  context.bucket.uploads.end(findUpload(context).id)
  return { status: 204 }
}

function findUpload({ bucket, request }: BucketContext): Upload {
  return bucket.uploads.get(request.query.get('uploadId') ?? '', request.key)
}

function storePart(context: BucketContext, body: Buffer): Part {
  const number = integerParameter(context.request, 'partNumber', { min: 1, max: MAX_PART_NUMBER })
  // Looked up after the body arrived, because the upload may have ended in the meantime.
  const { parts } = findUpload(context)
  const part = { number, body, etag: md5(body), lastModified: context.world.clock() }
  parts.set(number, part)
  return part
}
