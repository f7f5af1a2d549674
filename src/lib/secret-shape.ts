import { decodings, isKey, keyText, unescaped } from './key-material.ts'

/** The rule that a text breaks as a secret, and the remedy. Neither quotes the text. */
export type ShapeFault = Readonly<{ rule: string; remedy: string }>

const PUBLIC_KEY: ShapeFault = {
  rule: 'must be a shared secret, and this is a key, a certificate or a part of one',
  remedy: 'a public key is known to others, who could sign with it: give it as JWT_PUBLIC_KEY (or publicKey)',
}
const JWK: ShapeFault = {
  rule: 'must be a shared secret, and this is a JSON Web Key or other JSON',
  remedy: 'give a key set by its address; of a symmetric key give the secret alone: what its "k" is base64url of',
}
const ADDRESS: ShapeFault = {
  rule: 'must be the secret itself, and this is an address',
  remedy: 'give the address of a key set as JWT_JWKS_URL (or jwksUrl)',
}
const PATH: ShapeFault = {
  rule: 'must be the secret itself, and this is the path of a file',
  remedy: 'give the path in the variable that ends in _FILE (or as secretFile)',
}
const TOKEN: ShapeFault = {
  rule: 'must be the secret itself, and this is a token',
  remedy: 'give what tokens are signed with',
}
const TEMPLATE: ShapeFault = {
  rule: 'must be the secret itself, and this is a placeholder that nothing has filled in',
  remedy: 'check how the variable is set: shells do not expand within single quotes',
}
const NO_TEXT: ShapeFault = {
  rule: 'must be text in UTF-8',
  remedy: 'generate one: openssl rand -base64 48',
}

/** Of shells, Compose, Helm and documentation. */
const PLACEHOLDER = /^(?:\$\{[\w.:?-]+\}|\$\([\w ./<"'-]+\)|\{\{[^{}]+\}\}|\$[A-Z_]+|%[A-Z_]+%|<[A-Za-z_ -]+>)$/u

/** How often one text may be the encoding of another. */
const DEPTH = 3

/**
 * What a configured secret is instead of one. Keys are found wherever they stand in it, escaped, packed, and in base64 or
 * hex: anybody who has the public key could sign tokens with it.
 */
export function shapeFault(secret: string): ShapeFault | undefined {
  // A file that is not UTF-8 was read as if it were: what is left of it is not the secret that it holds.
  if (/[\0\ufffd]/u.test(secret)) return NO_TEXT
  return faultOf(secret, DEPTH)
}

function faultOf(given: string, depth: number): ShapeFault | undefined {
  const texts = [...new Set([given, unescaped(given)].map((text) => text.replace(/^[\s"']+|[\s"']+$/gu, '')))]
  for (const text of texts) {
    const fault = faultOfText(text)
    if (fault) return fault
  }
  for (const bytes of texts.flatMap(decodings)) {
    if (isKey(bytes)) return PUBLIC_KEY
    const fault = depth > 0 ? faultOf(bytes.toString('utf8'), depth - 1) : undefined
    if (fault) return fault
  }
  return undefined
}

function faultOfText(text: string): ShapeFault | undefined {
  if (isJson(text)) return JWK
  const key = keyText(text)
  if (key) return key === 'jwk' ? JWK : PUBLIC_KEY
  if (isKey(Buffer.from(text, 'latin1'))) return PUBLIC_KEY
  if (/^[a-z][a-z0-9+.-]*:\/\//iu.test(text)) return ADDRESS
  if (isPath(text)) return PATH
  if (/^eyJ[\w-]+\.[\w-]+\./u.test(text)) return TOKEN
  return PLACEHOLDER.test(text) ? TEMPLATE : undefined
}

function isJson(text: string): boolean {
  if (!/^[[{]/u.test(text)) return false
  if (/["']?(?:kty|keys|x5c)["']?\s*:/u.test(text)) return true
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Base64 may begin with a slash, so that more than that is needed. */
function isPath(text: string): boolean {
  return (
    /^(?:~|\.{1,2})\/[\w./-]+$/u.test(text) ||
    /^\/(?:app|config|data|etc|home|mnt|opt|private|root|run|secrets?|srv|tmp|usr|vault|var|Users)\/\S*$/u.test(text) ||
    /^\/[\w./ -]*\.[A-Za-z]{2,5}$/u.test(text) ||
    /^[A-Za-z]:\\[\w .\\-]+$/u.test(text) ||
    /^[\w-]+\.(?:pem|key|crt|cer|der|pub|txt|json|jwks?)$/iu.test(text)
  )
}
