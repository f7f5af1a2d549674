import { z } from 'zod'
import { hasDigest } from './body.ts'
import type { BucketContext } from './context.ts'
import { type ErrorCode, OssError } from './errors.ts'
import { type OssResponse, xmlResponse } from './response.ts'

const deletion = z.object({
  Delete: z.object({
    Quiet: z.enum(['true', 'false']).optional(),
    Object: z
      .array(z.object({ Key: z.string().min(1), VersionId: z.string().optional() }))
      .min(1)
      .max(1000),
  }),
})

/** POST bucket?delete. Each key is authorised on its own: a right to one key is no right to another. */
export async function deleteObjects({ bucket, request, may, readXml }: BucketContext): Promise<OssResponse> {
  if (!hasDigest(request.headers)) {
    throw new OssError('InvalidRequest', 'Missing required header for this request: Content-MD5')
  }
  const { Delete } = await readXml(deletion)
  const deleted: { Key: string }[] = []
  const errors: { Key: string; Code: ErrorCode; Message: string }[] = []
  for (const { Key, VersionId } of Delete.Object) {
    const code = refusal(may('DeleteObject', { bucket: bucket.name, key: Key }), VersionId)
    if (code) {
      errors.push({ Key, Code: code, Message: new OssError(code).message })
    } else {
      bucket.delete(Key)
      deleted.push({ Key })
    }
  }
  return xmlResponse('DeleteResult', { Deleted: Delete.Quiet === 'true' ? [] : deleted, Error: errors })
}

function refusal(allowed: boolean, version: string | undefined): ErrorCode | undefined {
  if (!allowed) return 'AccessDenied'
  return version === undefined ? undefined : 'NotImplemented'
}
