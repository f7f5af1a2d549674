import { isUtf8 } from 'node:buffer'
import { hasUniqueNames } from '../lib/unique-names.ts'

/** Bounds of the length above which tokens are refused unread. One with 400 roles has 12 KB. */
export const MAX_TOKEN_BYTES = { least: 1024, most: 32_768 } as const

/** The two JSON parts of a compact JWS, unverified. */
export type UnverifiedToken = Readonly<{
  header: Readonly<Record<string, unknown>>
  payload: Readonly<Record<string, unknown>>
  /** The text that `payload` was parsed from: it tells numbers apart that are one number once they are parsed. */
  json: string
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
  if (token.length > MAX_TOKEN_BYTES.most) return undefined
  const [, head = '', body = '', signature = ''] = COMPACT.exec(token) ?? []
  if (signature === '') return undefined
  const header = parseObject(head)?.value
  const payload = header && parseObject(body)
  if (!header || !payload || Object.hasOwn(header, 'crit')) return undefined
  return { header, payload: payload.value, json: payload.json }
}

function parseObject(part: string): { value: Record<string, unknown>; json: string } | undefined {
  const bytes = Buffer.from(part, 'base64url')
  if (!isUtf8(bytes)) return undefined
  const json = bytes.toString()
  try {
    const value: unknown = JSON.parse(json)
    return isObject(value) && hasUniqueNames(json, value) ? { value, json } : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
