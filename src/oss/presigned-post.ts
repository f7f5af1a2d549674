import { createHmac } from 'node:crypto'
import { type SigningKeys, signingDate } from '../lib/signature-v4.ts'
import type { Store } from './presigned-url.ts'

/** The store replaces this text in the key of a form by the name of the file. */
export const FILE_NAME = '${filename}'

/** The limits of an upload by form. */
export type PostLimits = Readonly<{
  /** The key, or the text that it must start with. `keyFault` finds nothing in it. */
  key: Readonly<{ exactly: string } | { startsWith: string }>
  minBytes: number
  maxBytes: number
  /** The type that the file is stored with. Undefined: the form may not name one, and the store uses its default. */
  contentType?: string | undefined
}>

/** A form for `multipart/form-data`: send the fields first, and the file last, as `file`. */
export type PresignedPost = Readonly<{ url: string; fields: Readonly<Record<string, string>> }>

/**
 * Signs a form: a POST policy under Signature Version 4. It limits the size and the type of the file, which a session
 * policy cannot. `at` and `expiresAt` are epoch milliseconds, whole seconds.
 */
export function presignPost(
  { endpoint, region, bucket }: Store,
  { accessKey, secretKey, sessionToken }: SigningKeys,
  { key, minBytes, maxBytes, contentType }: PostLimits,
  { at, expiresAt }: Readonly<{ at: number; expiresAt: number }>,
): PresignedPost {
  const date = signingDate(at)
  const scope = [date.slice(0, 8), region, 's3', 'aws4_request']
  const fixed = {
    ...(contentType !== undefined && { 'content-type': contentType }),
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': [accessKey, ...scope].join('/'),
    'x-amz-date': date,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  }
  const conditions = [
    { bucket },
    'exactly' in key ? { key: key.exactly } : ['starts-with', '$key', key.startsWith],
    ['content-length-range', minBytes, maxBytes],
    ...Object.entries(fixed).map(([name, value]) => ({ [name]: value })),
  ]
  const expiration = new Date(expiresAt).toISOString()
  const policy = Buffer.from(JSON.stringify({ expiration, conditions })).toString('base64')
  return {
    url: `${new URL(endpoint).origin}/${bucket}`,
    fields: {
      key: 'exactly' in key ? key.exactly : key.startsWith + FILE_NAME,
      ...fixed,
      policy,
      'x-amz-signature': signatureOf(policy, secretKey, scope),
    },
  }
}

/** The same chain as for a request, but over the policy itself. */
function signatureOf(policy: string, secretKey: string, scope: readonly string[]): string {
  const key = scope.reduce(hmac, Buffer.from(`AWS4${secretKey}`))
  return hmac(key, policy).toString('hex')
}

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
