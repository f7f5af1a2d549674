import { hasUniqueNames } from '../lib/unique-names.ts'

/** Longer tokens are refused unread: 8 KiB is what common servers allow a whole header line. */
export const MAX_TOKEN_BYTES = 8192

/** The two JSON parts of a compact JWS, unverified. */
export type UnverifiedToken = Readonly<{
  header: Readonly<Record<string, unknown>>
  payload: Readonly<Record<string, unknown>>
}>

/**
 * Reads a compact JWS more strictly than a verifier needs to, so that there is one way to read each token: no bits that
 * base64url decoding would drop (a token with one of those flipped would otherwise still verify), no member named
 * twice, no bytes that are not UTF-8, no `crit` (no extension is understood here). Undefined for anything else.
 */
export function readToken(token: string): UnverifiedToken | undefined {
  if (token.length > MAX_TOKEN_BYTES) return undefined
  const parts = token.split('.')
  const [header, payload, signature] = parts.map(decodeCanonical)
  if (parts.length !== 3 || !header || !payload || !signature) return undefined
  const headerObject = parseObject(header)
  const payloadObject = parseObject(payload)
  if (!headerObject || !payloadObject || Object.hasOwn(headerObject, 'crit')) return undefined
  return { header: headerObject, payload: payloadObject }
}

function decodeCanonical(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.length > 0 && bytes.toString('base64url') === part ? bytes : undefined
}

function parseObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    return isObject(value) && hasUniqueNames(text, value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
