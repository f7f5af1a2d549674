/** S3's limit, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1024

/** An ASCII character that is percent-encoded. */
const ENCODED = /^%[0-7][0-9a-f]$/iu
/** Where one of the readers on the way to an object ends a segment. */
const SEPARATOR = /[/\\]/u
// XML, in which stores list keys, cannot contain these characters.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are looked for
const NOT_IN_XML = /[\u0000-\u001f\u007f\ufffe\uffff]/u

/**
 * Why a text cannot be the key of an object, in words for the caller; undefined if it can.
 *
 * Segments `.` and `..` are refused, also percent-encoded, with a `;` and what follows it, or between backslashes: clients,
 * proxies and servers resolve them, so the path that arrives would not be the path that was signed.
 */
export function keyFault(key: string): string | undefined {
  if (key === '') return 'must not be empty'
  if (!key.isWellFormed()) return 'must be well-formed Unicode'
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `must be at most ${MAX_KEY_BYTES} bytes of UTF-8`
  if (NOT_IN_XML.test(key)) return 'must not have control characters'
  if (key.startsWith('/')) return 'must not start with a slash'
  const segments = decode(key).split(SEPARATOR)
  if (segments.some((segment) => /^\.\.?(?:;|$)/u.test(segment))) return 'must not have . or .. as a segment'
  return undefined
}

/** Undoes every percent-encoding, one inside another too: `%252e` and `%2%65` are dots. One pass, however deep they are. */
function decode(key: string): string {
  if (!key.includes('%')) return key
  const read: string[] = []
  for (const character of key) {
    read.push(character)
    while (read.at(-3) === '%' && ENCODED.test(read.slice(-3).join(''))) {
      const [, high = '', low = ''] = read.splice(-3)
      read.push(String.fromCharCode(Number.parseInt(high + low, 16)))
    }
  }
  return read.join('')
}

/** A key as S3 clients write it into a URL: everything except unreserved characters and slashes is percent-encoded. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replace(/[!'()*]/gu, percent)
}

const percent = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
