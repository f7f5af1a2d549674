import { OssError } from './errors.ts'

/**
 * Percent-decodes once, to UTF-8. A `+` stays a plus.
 *
 * @throws OssError InvalidURI for a `%` that does not start an octet, and for octets that are not UTF-8
 */
export function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new OssError('InvalidURI')
  }
}

/** Percent-encodes everything except RFC 3986's unreserved characters, as Signature Version 4 requires. */
export function encodePercent(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/gu, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** The same without slashes: for a key in a path, or in a list with `encoding-type=url`. */
export function encodePath(text: string): string {
  return encodePercent(text).replaceAll('%2F', '/')
}
