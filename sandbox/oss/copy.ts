import { evaluateConditions } from './conditions.ts'
import { type BucketContext, findObject } from './context.ts'
import { OssError } from './errors.ts'
import { readMetadata } from './metadata.ts'
import { checkOverwrite } from './objects.ts'
import { decodePercent } from './percent.ts'
import { type OssResponse, xmlResponse } from './response.ts'
import type { StoredObject } from './store.ts'

/**
 * The object that `x-amz-copy-source` names, if the caller may read it: the right to write is not a right to copy
 * another user's object.
 *
 * @throws OssError InvalidArgument, NotImplemented, AccessDenied, NoSuchBucket, NoSuchKey, PreconditionFailed
 */
export function readCopySource(context: BucketContext): StoredObject {
  const { store, request, may } = context
  const header = request.headers.get('x-amz-copy-source') ?? ''
  if (header.includes('?')) throw new OssError('NotImplemented')
  const [, name, key] = /^\/?([^/]+)\/(.+)$/su.exec(decodePercent(header)) ?? []
  if (name === undefined || key === undefined) {
    throw new OssError('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey')
  }
  const source = store.get(name)
  if (!source) throw new OssError('NoSuchBucket')
  if (!may('GetObject', { bucket: name, key })) throw new OssError('AccessDenied')
  const object = findObject(context, source, key)
  const outcome = evaluateConditions(request.headers, object, 'x-amz-copy-source-')
  if (outcome !== 'met') throw new OssError('PreconditionFailed')
  return object
}

/** PUT object with `x-amz-copy-source`. */
export function copyObject(context: BucketContext): OssResponse {
  const { bucket, request } = context
  const directive = request.headers.get('x-amz-metadata-directive') ?? 'COPY'
  if (directive !== 'COPY' && directive !== 'REPLACE') {
    throw new OssError('InvalidArgument', 'Unknown metadata directive.')
  }
  const source = readCopySource(context)
  if (directive === 'COPY' && bucket.get(request.key) === source) {
    throw new OssError('InvalidRequest', 'An object cannot be copied to itself without changing its metadata.')
  }
  checkOverwrite(context)
  const metadata = directive === 'COPY' ? source.metadata : readMetadata(request.headers)
  const { etag, lastModified } = bucket.put(request.key, source.body, metadata)
  return xmlResponse('CopyObjectResult', { LastModified: new Date(lastModified).toISOString(), ETag: `"${etag}"` })
}
