import { OssError } from './errors.ts'
import type { Headers } from './request.ts'

/** The supported `x-amz-*` headers and form fields, and those without an effect that a client could rely on. */
const SUPPORTED =
  /^x-amz-(?:algorithm|credential|signature|date|content-sha256|security-token|user-agent|meta-.+|copy-source|copy-source-range|copy-source-if-(?:none-)?match|copy-source-if-(?:un)?modified-since|metadata-directive|checksum-.+|sdk-checksum-algorithm)$/u

/** Headers that may only ask for the default. */
const FIXED = new Map([
  ['x-amz-acl', 'private'],
  ['x-amz-storage-class', 'STANDARD'],
])

/**
 * Refuses unsupported features. If an object silently stayed unencrypted, unlocked or private, clients would rely on
 * something that JD Cloud does not do.
 *
 * @throws OssError NotImplemented
 */
export function checkSupported(headers: Headers): void {
  for (const [name, value] of headers) {
    if (!name.startsWith('x-amz-') || SUPPORTED.test(name) || FIXED.get(name) === value) continue
    throw new OssError('NotImplemented', 'A header that you provided implies functionality that is not implemented.')
  }
}
