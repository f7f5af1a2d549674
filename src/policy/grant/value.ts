/** The longest value, in characters, that may enter a policy; a path may have that many for each of its segments. */
export const MAX_VALUE_CHARACTERS = 128
/** The most segments of a path value. */
export const MAX_PATH_SEGMENTS = 16

// JD Cloud's policy language has no escape, so a `*` could only be refused; `$`, `{`, `}`, `:` and `/` are refused with
// it because they mean something in a template or a JRN.
const SAFE = /^[\p{L}\p{Nd}\-_.~@+=,|]+$/u
// Some letters, such as the Hangul fillers, show as nothing: two folders would look the same in an audit.
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u

/** The rule in words, for whoever brought a value that breaks it; the value itself is never told. */
export const VALUE_RULE = `1 to ${MAX_VALUE_CHARACTERS} letters, digits and -_.~@+=,|, and not . or ..`

/**
 * The text of a claim or param that may enter a policy: a string or an integer of 1 to 128 letters, digits (any script,
 * normalised to NFC: two spellings of one name must not be two folders) and `-_.~@+=,|`, but neither `.` nor `..`. A
 * `path` is up to 16 of those with `/` between. Undefined for anything else.
 */
export function policyValue(value: unknown, kind: 'segment' | 'path' = 'segment'): string | undefined {
  const text = Number.isSafeInteger(value) ? String(value) : value
  if (typeof text !== 'string') return undefined
  const segments = kind === 'path' ? text.split('/') : [text]
  return segments.length <= MAX_PATH_SEGMENTS && segments.every(isSafeSegment) ? text : undefined
}

/** Nearly every value: nothing in it could look like something else, so one look is enough. */
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
