/** The longest value, or segment of a path, that may enter a policy. */
export const MAX_VALUE_CHARACTERS = 128
export const MAX_PATH_SEGMENTS = 16

// JD Cloud's policy language has no escape, so `*` must be refused. `$`, `{`, `}`, `:` and `/` are refused too, because
// they have a meaning in a template or a JRN.
const SAFE = /^[\p{L}\p{Nd}\-_.~@+=,|]+$/u
// Some letters, such as the Hangul fillers, are invisible: two folders would look the same in an audit.
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u

/** The rule in words, for callers whose value breaks it. No message repeats the value. */
export const VALUE_RULE = `1 to ${MAX_VALUE_CHARACTERS} letters, digits and -_.~@+=,|, and not . or ..`

/**
 * The text of a claim or param, if it may enter a policy: a string or an integer of 1 to 128 letters, digits and
 * `-_.~@+=,|`, but not `.` or `..`. Letters of any script, in NFC: two spellings of one name must not be two folders. A
 * `path` has up to 16 such segments. Undefined for anything else.
 */
export function policyValue(value: unknown, kind: 'segment' | 'path' = 'segment'): string | undefined {
  const text = Number.isSafeInteger(value) ? String(value) : value
  if (typeof text !== 'string') return undefined
  const segments = kind === 'path' ? text.split('/') : [text]
  return segments.length <= MAX_PATH_SEGMENTS && segments.every(isSafeSegment) ? text : undefined
}

/** S3's limit for a key, in bytes of UTF-8. */
const MAX_PREFIX_BYTES = 1024

/** The rule of {@link isSafePrefix} in words. */
export const PREFIX_RULE = `must be at most ${MAX_PREFIX_BYTES} bytes, without a slash at its start, and each part between its slashes ${VALUE_RULE}`

/**
 * Whether a text that a caller chose may enter a policy as the beginning of keys: segments as in a path, the last of which
 * may be empty. It neither is empty nor starts with a slash.
 */
export function isSafePrefix(text: string): boolean {
  if (text === '' || Buffer.byteLength(text) > MAX_PREFIX_BYTES) return false
  const segments = text.split('/')
  return segments.every((segment, index) => isSafeSegment(segment) || (segment === '' && index === segments.length - 1))
}

/** Nearly every value: ASCII is always visible and in NFC, so one test is enough. */
const PLAIN = /^[A-Za-z0-9\-_.~@+=,|]{1,128}$/u

function isSafeSegment(text: string): boolean {
  if (PLAIN.test(text)) return text !== '.' && text !== '..'
  return (
    text.length <= 2 * MAX_VALUE_CHARACTERS &&
    [...text].length <= MAX_VALUE_CHARACTERS &&
    SAFE.test(text) &&
    !INVISIBLE.test(text) &&
    text !== '.' &&
    text !== '..' &&
    text.normalize('NFC') === text
  )
}
