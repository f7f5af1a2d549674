import { type Checksum, verifyChecksum } from './checksums.ts'
import { evaluateConditions, matchesEtag } from './conditions.ts'
import { type BucketContext, findObject, integerParameter } from './context.ts'
import { OssError } from './errors.ts'
import { readMetadata, responseOverrides } from './metadata.ts'
import { parseRange } from './range.ts'
import type { OssRequest } from './request.ts'
import type { OssResponse } from './response.ts'
import type { StoredObject } from './store.ts'
import { MAX_PART_NUMBER } from './uploads.ts'

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
  if (request.query.has('partNumber')) return getPart(object, request, headers)
  const range = isRangeCurrent(context, object) && parseRange(request.headers.get('range'), object.body.length)
  if (!range) return { status: 200, headers: { ...headers, ...storedChecksum(request, object) }, body: object.body }
  const { first, last } = range
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${first}-${last}/${object.body.length}` },
    body: object.body.subarray(first, last + 1),
  }
}

/** One part of an object as it was uploaded. An object that was put as a whole is its own first part. */
function getPart(
  { body, partSizes }: StoredObject,
  request: OssRequest,
  headers: Readonly<Record<string, string>>,
): OssResponse {
  if (request.headers.has('range')) {
    throw new OssError('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter')
  }
  const number = integerParameter(request, 'partNumber', { min: 1, max: MAX_PART_NUMBER })
  const sizes = partSizes ?? [body.length]
  const size = sizes[number - 1]
  if (size === undefined) throw new OssError('InvalidPartNumber')
  const count = partSizes ? { 'x-amz-mp-parts-count': String(partSizes.length) } : {}
  const first = sizes.slice(0, number - 1).reduce((sum, each) => sum + each, 0)
  const range = size === 0 ? {} : { 'content-range': `bytes ${first}-${first + size - 1}/${body.length}` }
  return {
    status: size === 0 ? 200 : 206,
    headers: { ...headers, ...count, ...range },
    body: body.subarray(first, first + size),
  }
}

/** S3 returns a checksum only to clients that ask for it, and only with the whole object. */
function storedChecksum({ headers }: OssRequest, { checksum }: StoredObject): Record<string, string> {
  const asked = headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED'
  return asked ? checksumHeaders(checksum) : {}
}

/** The header that confirms a checksum. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  return checksum ? { [checksum.name]: checksum.value } : {}
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
  const checksum = verifyChecksum(body, request.headers)
  checkOverwrite(context)
  const { etag } = bucket.put(request.key, body, metadata, { checksum })
  return { status: 200, headers: { etag: `"${etag}"`, ...checksumHeaders(checksum) } }
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
