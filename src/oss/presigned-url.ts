import { presignS3, type SigningKeys, signingDate } from '../lib/signature-v4.ts'
import { encodeKey } from './object-key.ts'

/** The store that URLs and forms are for. */
export type Store = Readonly<{ endpoint: string; region: string; bucket: string }>

/** An operation that a URL can carry. */
export type SignableOperation = Readonly<
  | { operation: 'PutObject' | 'GetObject' | 'HeadObject' | 'DeleteObject' | 'CreateMultipartUpload' }
  | { operation: 'UploadPart'; uploadId: string; partNumber: number }
  | { operation: 'CompleteMultipartUpload' | 'AbortMultipartUpload'; uploadId: string }
>

type Options = Readonly<{
  /** A key in which `keyFault` finds nothing. */
  key: string
  /** Headers that the client must send exactly so; names in lower case. */
  headers?: Readonly<Record<string, string>>
  /** When the signature begins to hold: epoch milliseconds, a whole second. */
  at: number
  expiresSeconds: number
}>

/** The HTTP method of each operation. */
export const METHODS = {
  PutObject: 'PUT',
  GetObject: 'GET',
  HeadObject: 'HEAD',
  DeleteObject: 'DELETE',
  CreateMultipartUpload: 'POST',
  UploadPart: 'PUT',
  CompleteMultipartUpload: 'POST',
  AbortMultipartUpload: 'DELETE',
} as const satisfies Record<SignableOperation['operation'], string>

/** Signs one request in path style, and returns its URL. The URL is a secret: it opens what it names to anyone. */
export function presignUrl(
  { endpoint, region, bucket }: Store,
  keys: SigningKeys,
  what: SignableOperation,
  { key, headers = {}, at, expiresSeconds }: Options,
): string {
  const { origin, host } = new URL(endpoint)
  const path = `/${bucket}/${encodeKey(key)}?${new URLSearchParams(queryOf(what))}`
  const method = METHODS[what.operation]
  return origin + presignS3({ method, host, path, headers, region, date: signingDate(at), expiresSeconds }, keys)
}

function queryOf(what: SignableOperation): Record<string, string> {
  switch (what.operation) {
    case 'CreateMultipartUpload':
      return { uploads: '' }
    case 'UploadPart':
      return { partNumber: String(what.partNumber), uploadId: what.uploadId }
    case 'CompleteMultipartUpload':
    case 'AbortMultipartUpload':
      return { uploadId: what.uploadId }
    default:
      return {}
  }
}
