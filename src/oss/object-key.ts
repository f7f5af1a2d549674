/** S3's limit, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1024

/** A dot or a slash that is percent-encoded, once or several times. */
const ENCODED = /%(?:25)*2([ef])/giu
// XML, in which stores list keys, cannot contain these characters.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are looked for
const NOT_IN_XML = /[\u0000-\u001f\u007f\ufffe\uffff]/u

/**
 * Why a text cannot be the key of an object, in words for the caller; undefined if it can.
 *
 * Segments `.` and `..` are refused, percent-encoded ones included: clients and proxies resolve them, so the path that
 * arrives would not be the path that was signed.
 */
export function keyFault(key: string): string | undefined {
  if (key === '') return 'must not be empty'
  if (!key.isWellFormed()) return 'must be well-formed Unicode'
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `must be at most ${MAX_KEY_BYTES} bytes of UTF-8`
  if (NOT_IN_XML.test(key)) return 'must not have control characters'
  if (key.startsWith('/')) return 'must not start with a slash'
  const decoded = key.replace(ENCODED, (_, digit: string) => (digit.toLowerCase() === 'e' ? '.' : '/'))
  if (decoded.split('/').some((segment) => segment === '.' || segment === '..')) {
    return 'must not have . or .. as a segment'
  }
  return undefined
}

/** A key as S3 clients write it into a URL: everything except unreserved characters and slashes is percent-encoded. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replace(/[!'()*]/gu, percent)
}

const percent = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
