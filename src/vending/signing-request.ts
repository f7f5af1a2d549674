import type { SignableOperation } from '../oss/presigned-url.ts'
import type { AskedKey } from './signing-check.ts'

/** A request for signatures. */
export type SigningRequest = Readonly<{
  policy: string
  params?: Readonly<Record<string, string | number>> | undefined
  /** The life of what is signed, whole seconds. */
  expiresInSeconds: number
}>

/** A request for URLs: for one key or several, or for the rest of a multipart upload. */
export type UrlsRequest = SigningRequest &
  Readonly<{ key?: string | undefined; keys?: readonly string[] | undefined }> &
  Readonly<
    | { operation: 'GetObject' | 'HeadObject' | 'DeleteObject' }
    | { operation: 'CreateMultipartUpload'; contentType?: string | undefined }
    | { operation: 'PutObject'; contentType?: string | undefined; contentMd5?: string | undefined }
    | { operation: 'MultipartUpload'; uploadId: string; partNumbers: readonly number[] }
  >

/** A request for forms: for one key, or for all keys with a prefix. */
export type PostsRequest = SigningRequest &
  Readonly<{
    key?: string | undefined
    keyPrefix?: string | undefined
    minBytes: number
    maxBytes: number
    /** One form for each. */
    contentTypes?: readonly string[] | undefined
  }>

export function keysOf({ key, keys = [] }: UrlsRequest): readonly AskedKey[] {
  const several = keys.map((one, index) => ({ key: one, pointer: `/keys/${index}` }))
  return key === undefined ? several : [{ key, pointer: '/key' }, ...several]
}

/** The operations to sign for each key. */
export function operationsOf(request: UrlsRequest): readonly SignableOperation[] {
  if (request.operation !== 'MultipartUpload') return [{ operation: request.operation }]
  const { uploadId, partNumbers } = request
  return [
    ...partNumbers.map((partNumber) => ({ operation: 'UploadPart' as const, uploadId, partNumber })),
    { operation: 'CompleteMultipartUpload', uploadId },
    { operation: 'AbortMultipartUpload', uploadId },
  ]
}

/**
 * The operations that the caller's grant must allow. A multipart upload begins only if it can be aborted too: the store
 * keeps, and bills, the parts of an upload that nobody completes or aborts.
 */
export function neededOperations(request: UrlsRequest): readonly SignableOperation['operation'][] {
  if (request.operation === 'CreateMultipartUpload') return [request.operation, 'AbortMultipartUpload']
  return [...new Set(operationsOf(request).map(({ operation }) => operation))]
}

/** The headers that belong to the signature. */
export function headersOf(request: UrlsRequest): Readonly<Record<string, string>> {
  const type = 'contentType' in request ? request.contentType : undefined
  const md5 = 'contentMd5' in request ? request.contentMd5 : undefined
  return { ...(type !== undefined && { 'content-type': type }), ...(md5 !== undefined && { 'content-md5': md5 }) }
}

/** How many signatures answer the request. */
export const countOf = (request: UrlsRequest): number => keysOf(request).length * operationsOf(request).length
