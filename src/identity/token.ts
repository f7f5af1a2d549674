import { isUtf8 } from 'node:buffer'
import { hasUniqueNames } from '../lib/unique-names.ts'

/** Longer tokens are refused unread: 8 KiB is what common servers allow a whole header line. */
export const MAX_TOKEN_BYTES = 8192

/** The two JSON parts of a compact JWS, unverified. */
export type UnverifiedToken = Readonly<{
  header: Readonly<Record<string, unknown>>
  payload: Readonly<Record<string, unknown>>
}>

/**
 * A part of a token as base64url writes it: the last character of one that is no multiple of four has no bits that
 * decoding would drop. A token with one of those flipped would otherwise still verify.
 */
const PART = '((?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?)'
const COMPACT = new RegExp(`^${PART}\\.${PART}\\.${PART}$`)

/**
 * Reads a compact JWS more strictly than a verifier needs to, so that there is one way to read each token: canonical
 * base64url, no member named twice, no bytes that are not UTF-8, no `crit` (no extension is understood here). Undefined
 * for anything else.
 */
export function readToken(token: string): UnverifiedToken | undefined {
  if (token.length > MAX_TOKEN_BYTES) return undefined
  const [, head = '', body = '', signature = ''] = COMPACT.exec(token) ?? []
  if (signature === '') return undefined
  const header = parseObject(head)
  const payload = header && parseObject(body)
  if (!header || !payload || Object.hasOwn(header, 'crit')) return undefined
  return { header, payload }
}

function parseObject(part: string): Record<string, unknown> | undefined {
  const bytes = Buffer.from(part, 'base64url')
  if (!isUtf8(bytes)) return undefined
  const text = bytes.toString()
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) && hasUniqueNames(text, value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
