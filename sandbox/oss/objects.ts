import { evaluateConditions, matchesEtag } from './conditions.ts'
import { type BucketContext, findObject } from './context.ts'
import { OssError } from './errors.ts'
import { readMetadata, responseOverrides } from './metadata.ts'
import { parseRange } from './range.ts'
import type { OssResponse } from './response.ts'
import type { StoredObject } from './store.ts'

/** GET and HEAD object. */
export function getObject(context: BucketContext): OssResponse {
  const { bucket, request } = context
  const object = findObject(context, bucket, request.key)
  const outcome = evaluateConditions(request.headers, object)
  if (outcome === 'failed') throw new OssError('PreconditionFailed')
  const etag = { etag: `"${object.etag}"`, 'last-modified': new Date(object.lastModified).toUTCString() }
  if (outcome === 'unchanged') return { status: 304, headers: etag }

  const headers = {
    ...Object.fromEntries(object.metadata),
    ...responseOverrides(request),
    ...etag,
    'accept-ranges': 'bytes',
  }
  const range = isRangeCurrent(context, object) && parseRange(request.headers.get('range'), object.body.length)
  if (!range) return { status: 200, headers, body: object.body }
  const { first, last } = range
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${first}-${last}/${object.body.length}` },
    body: object.body.subarray(first, last + 1),
  }
}

/** `If-Range` names the object of which a client already has a part. A part of another object would not fit. */
function isRangeCurrent({ request }: BucketContext, { etag }: StoredObject): boolean {
  const ifRange = request.headers.get('if-range')
  return ifRange === undefined || matchesEtag(ifRange, etag)
}

/** PUT object. */
export async function putObject(context: BucketContext): Promise<OssResponse> {
  const { bucket, request, readBody } = context
  if (!request.headers.has('content-length')) throw new OssError('MissingContentLength')
  const metadata = readMetadata(request.headers)
  const body = await readBody()
  checkOverwrite(context)
  const { etag } = bucket.put(request.key, body, metadata)
  return { status: 200, headers: { etag: `"${etag}"` } }
}

/**
 * `If-None-Match: *` lets a write only create an object. JD Cloud does not document S3's other conditions on writes.
 *
 * @throws OssError PreconditionFailed, NotImplemented
 */
export function checkOverwrite({ bucket, request: { headers, key } }: BucketContext): void {
  const ifNoneMatch = headers.get('if-none-match')
  if (headers.has('if-match') || (ifNoneMatch !== undefined && ifNoneMatch !== '*')) {
    throw new OssError('NotImplemented')
  }
  if (ifNoneMatch === '*' && bucket.get(key)) throw new OssError('PreconditionFailed')
}

/** DELETE object. It succeeds even if the object does not exist. */
export function deleteObject({ bucket, request }: BucketContext): OssResponse {
  bucket.delete(request.key)
  return { status: 204 }
}
