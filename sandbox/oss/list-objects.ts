import { type BucketContext, integerParameter } from './context.ts'
import { OssError } from './errors.ts'
import { type ListQuery, listPage, type Page } from './listing.ts'
import { encodePath } from './percent.ts'
import type { OssRequest } from './request.ts'
import { type OssResponse, xmlResponse } from './response.ts'

const MAX_KEYS = 1000

/** GET bucket?list-type=2 */
export function listObjectsV2(context: BucketContext): OssResponse {
  const { bucket, request } = context
  const { query } = request
  if (query.get('list-type') !== '2') throw new OssError('InvalidArgument', 'Invalid list-type.')
  const startAfter = query.get('start-after') ?? ''
  const token = query.get('continuation-token')
  const asked = readListQuery(request, token === undefined ? startAfter : decodeToken(token))
  const page = listPage(bucket.keys(), asked)
  return xmlResponse('ListBucketResult', {
    ...common(context, asked, page, query.get('fetch-owner') === 'true'),
    KeyCount: page.keys.length + page.commonPrefixes.length,
    StartAfter: query.has('start-after') ? encoderFor(request)(startAfter) : undefined,
    ContinuationToken: token,
    NextContinuationToken: page.last === undefined ? undefined : Buffer.from(page.last).toString('base64url'),
  })
}

/** GET bucket */
export function listObjects(context: BucketContext): OssResponse {
  const { bucket, request } = context
  const encode = encoderFor(request)
  const asked = readListQuery(request, request.query.get('marker') ?? '')
  const page = listPage(bucket.keys(), asked)
  return xmlResponse('ListBucketResult', {
    ...common(context, asked, page, true),
    Marker: encode(asked.after),
    // Without a delimiter, the last key is the marker, and S3 sends no NextMarker.
    NextMarker: page.last === undefined || asked.delimiter === '' ? undefined : encode(page.last),
  })
}

function readListQuery(request: OssRequest, after: string): ListQuery {
  return {
    prefix: request.query.get('prefix') ?? '',
    delimiter: request.query.get('delimiter') ?? '',
    after,
    limit: Math.min(MAX_KEYS, integerParameter(request, 'max-keys', { fallback: MAX_KEYS })),
  }
}

function common({ bucket, request, world }: BucketContext, asked: ListQuery, page: Page, withOwner: boolean) {
  const encode = encoderFor(request)
  return {
    Name: bucket.name,
    Prefix: encode(asked.prefix),
    Delimiter: asked.delimiter === '' ? undefined : encode(asked.delimiter),
    MaxKeys: asked.limit,
    EncodingType: request.query.get('encoding-type'),
    IsTruncated: page.last !== undefined,
    Contents: page.keys.flatMap((key) => {
      const object = bucket.get(key)
      if (!object) return []
      return {
        Key: encode(key),
        LastModified: new Date(object.lastModified).toISOString(),
        ETag: `"${object.etag}"`,
        Size: object.body.length,
        StorageClass: 'STANDARD',
        Owner: withOwner ? { ID: world.accountId, DisplayName: world.accountId } : undefined,
      }
    }),
    CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  }
}

/** XML cannot contain some keys; `encoding-type=url` encodes them. */
function encoderFor({ query }: OssRequest): (text: string) => string {
  const type = query.get('encoding-type')
  if (type !== undefined && type !== 'url') throw new OssError('InvalidArgument', 'Invalid Encoding Method specified.')
  return type === 'url' ? encodePath : (text) => text
}

function decodeToken(token: string): string {
  const bytes = Buffer.from(token, 'base64url')
  if (token !== '' && bytes.toString('base64url') === token) return bytes.toString()
  throw new OssError('InvalidArgument', 'The continuation token provided is incorrect')
}
