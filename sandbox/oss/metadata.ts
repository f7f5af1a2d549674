import { OssError } from './errors.ts'
import type { Headers, OssRequest } from './request.ts'
import type { Metadata } from './store.ts'

const KEPT: ReadonlySet<string> = new Set([
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
])
const MAX_USER_METADATA_BYTES = 2048

/**
 * The object's headers, from the headers of an upload or the fields of a form.
 *
 * @throws OssError InvalidArgument, MetadataTooLarge
 */
export function readMetadata(headers: Headers): Metadata {
  const metadata = new Map([['content-type', 'binary/octet-stream']])
  let userBytes = 0
  for (const [name, value] of headers) {
    const isUser = name.startsWith('x-amz-meta-')
    if (!isUser && !KEPT.has(name)) continue
    // Fields of a form are not headers yet, so they may contain anything.
    if (!/^[\w!#$%&'*+.^`|~-]+$/u.test(name)) throw new OssError('InvalidArgument', 'A header has an invalid name.')
    metadata.set(name, headerValue(value))
    if (isUser) userBytes += name.length - 'x-amz-meta-'.length + Buffer.byteLength(value)
  }
  if (userBytes > MAX_USER_METADATA_BYTES) throw new OssError('MetadataTooLarge')
  return metadata
}

/**
 * The response headers that a GET asks to replace.
 *
 * @throws OssError InvalidArgument
 */
export function responseOverrides({ query }: OssRequest): Record<string, string> {
  const overrides: [string, string][] = []
  for (const name of KEPT) {
    const value = query.get(`response-${name}`)
    if (value !== undefined) overrides.push([name, headerValue(value)])
  }
  return Object.fromEntries(overrides)
}

function headerValue(value: string): string {
  if (/^[\t\x20-\x7e\x80-\xff]*$/u.test(value)) return value
  throw new OssError('InvalidArgument', 'Header value cannot be represented using ISO-8859-1.')
}
