import { OssError } from './errors.ts'
import type { Headers } from './request.ts'

/**
 * Headers and form fields with a promise that JD Cloud does not document: access lists, encryption, tags, locks,
 * conditions, storage classes, redirects, and checksums that are not compared. S3 and this sandbox ignore all others
 * that they do not know.
 */
const UNSUPPORTED =
  /^x-amz-(?:acl|grant-.+|(?:copy-source-)?server-side-encryption.*|tagging|tagging-directive|object-lock-.+|bucket-object-lock-enabled|object-ownership|storage-class|website-redirect-location|write-offset-bytes|rename-source.*|if-match-.+|checksum-(?!(?:algorithm|type|mode|crc32|crc32c|crc64nvme|sha1|sha256)$).+)$/u

/** The values that ask only for the default. */
const DEFAULTS = new Map([
  ['x-amz-acl', 'private'],
  ['x-amz-storage-class', 'STANDARD'],
  ['x-amz-tagging-directive', 'COPY'],
  ['x-amz-bucket-object-lock-enabled', 'false'],
  ['x-amz-object-ownership', 'BucketOwnerEnforced'],
])

/**
 * Refuses unsupported features. If an object silently stayed unencrypted, unlocked or private, clients would rely on
 * something that JD Cloud does not do.
 *
 * @throws OssError NotImplemented
 */
export function checkSupported(headers: Headers): void {
  for (const [name, value] of headers) {
    if (!UNSUPPORTED.test(name) || DEFAULTS.get(name)?.toLowerCase() === value.toLowerCase()) continue
    throw new OssError('NotImplemented', `The header ${name} implies functionality that is not implemented.`)
  }
}
