import { type BucketContext, integerParameter } from './context.ts'
import { encodePath } from './percent.ts'
import { type OssResponse, xmlResponse } from './response.ts'
import { compareUtf8 } from './utf8-order.ts'

const PAGE = 1000

/** GET object?uploadId */
export function listParts({ bucket, request }: BucketContext): OssResponse {
  const marker = integerParameter(request, 'part-number-marker', { fallback: 0 })
  const limit = Math.min(PAGE, integerParameter(request, 'max-parts', { fallback: PAGE }))
  const { id, key, parts } = bucket.uploads.get(request.query.get('uploadId') ?? '', request.key)
  const rest = [...parts.values()].filter(({ number }) => number > marker).sort((a, b) => a.number - b.number)
  const page = rest.slice(0, limit)
  return xmlResponse('ListPartsResult', {
    Bucket: bucket.name,
    Key: key,
    UploadId: id,
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.number ?? marker,
    MaxParts: limit,
    IsTruncated: rest.length > page.length,
    Part: page.map(({ number, lastModified, etag, body }) => ({
      PartNumber: number,
      LastModified: new Date(lastModified).toISOString(),
      ETag: `"${etag}"`,
      Size: body.length,
    })),
    StorageClass: 'STANDARD',
  })
}

/** GET bucket?uploads */
export function listMultipartUploads({ bucket, request }: BucketContext): OssResponse {
  const { query } = request
  const limit = Math.min(PAGE, integerParameter(request, 'max-uploads', { fallback: PAGE }))
  const prefix = query.get('prefix') ?? ''
  const keyMarker = query.get('key-marker') ?? ''
  const idMarker = query.get('upload-id-marker') ?? ''
  const encode = query.get('encoding-type') === 'url' ? encodePath : (text: string) => text

  const all = bucket.uploads.list().filter(({ key }) => key.startsWith(prefix))
  // The upload of the marker may have ended since. Then the list continues with the next key.
  const marked = all.findIndex(({ key, id }) => key === keyMarker && id === idMarker)
  const rest = marked < 0 ? all.filter(({ key }) => compareUtf8(key, keyMarker) > 0) : all.slice(marked + 1)
  const page = rest.slice(0, limit)
  const isTruncated = rest.length > page.length
  const last = isTruncated ? page.at(-1) : undefined
  return xmlResponse('ListMultipartUploadsResult', {
    Bucket: bucket.name,
    KeyMarker: encode(keyMarker),
    UploadIdMarker: idMarker,
    NextKeyMarker: last && encode(last.key),
    NextUploadIdMarker: last?.id,
    Prefix: encode(prefix),
    EncodingType: query.get('encoding-type'),
    MaxUploads: limit,
    IsTruncated: isTruncated,
    Upload: page.map(({ key, id, initiated }) => ({
      Key: encode(key),
      UploadId: id,
      Initiated: new Date(initiated).toISOString(),
      StorageClass: 'STANDARD',
    })),
  })
}
