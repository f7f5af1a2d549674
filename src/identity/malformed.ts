import { isUtf8 } from 'node:buffer'
import { hasUniqueNames } from '../lib/unique-names.ts'
import { MAX_TOKEN_BYTES, readToken } from './token.ts'

const ACCESS_TOKEN = 'ask the provider for an access token that is a signed JWT'

/**
 * Why {@link readToken} cannot read a token, in words for operators; undefined when it can. Never quotes the token.
 */
export function malformation(token: string): string | undefined {
  if (readToken(token)) return undefined
  if (token === '') return 'there is no token'
  if (token.length > MAX_TOKEN_BYTES.most)
    return `it has more than ${MAX_TOKEN_BYTES.most} bytes, which is no limit to raise`
  if (/^["'].*["']$/su.test(token)) return 'it stands in quotes: send it without them'
  if (/\s/u.test(token)) return 'it has white space inside: it was wrapped, or more than the token was copied'
  if (/[^!-~]/u.test(token)) return 'it has characters that no token has: it was damaged on the way'
  const parts = token.split('.')
  const [head = '', body = '', signature = ''] = parts
  if (parts.length === 5)
    return `it has five parts: this is an encrypted token (JWE), which only its provider can read; ${ACCESS_TOKEN}`
  if (parts.length === 1) return `it has no dots: this is an opaque token, or a part of one; ${ACCESS_TOKEN}`
  if (parts.length === 2) return 'it has two parts of three: the signature, or another part, was cut off'
  if (parts.length !== 3) return `it has ${parts.length} parts, and a signed JWT has three; ${ACCESS_TOKEN}`
  return (
    partFault('header', head) ??
    partFault('payload', body) ??
    (signature === '' ? `its signature is empty: this is an unsigned token; ${ACCESS_TOKEN}` : undefined) ??
    encodingFault('signature', signature) ??
    'its header has `crit`: it needs an extension that this service does not know'
  )
}

function encodingFault(name: string, part: string): string | undefined {
  if (/[+/=]/u.test(part)) return `its ${name} is base64, not base64url: +, / and = are not allowed`
  if (/[^\w-]/u.test(part)) return `its ${name} is not base64url: it has other characters`
  if (part.length % 4 === 1) return `its ${name} is not base64url: its length says that it was cut`
  // Decoders drop such bits, so that two texts would be one token.
  if (Buffer.from(part, 'base64url').toString('base64url') !== part) {
    return `its ${name} is not base64url as encoders write it: its last character was changed`
  }
  return undefined
}

function partFault(name: string, part: string): string | undefined {
  const encoding = encodingFault(name, part)
  if (encoding !== undefined) return encoding
  const bytes = Buffer.from(part, 'base64url')
  if (!isUtf8(bytes)) return `its ${name} is not UTF-8`
  const json = bytes.toString()
  const value = parseJson(json)
  if (value === undefined) return `its ${name} is not JSON: the token was cut, or it is no JWT`
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `its ${name} is JSON, but no object`
  return hasUniqueNames(json, value) ? undefined : `its ${name} has a name twice, so that it can be read in two ways`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
