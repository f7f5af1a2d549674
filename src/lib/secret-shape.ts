/** What a text is that stands where a secret should: a rule that it breaks, and what to do. Neither quotes the text. */
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

/** Headers of PEM, RFC 4716 and PGP; lines of OpenSSH; PuTTY; XML of .NET. */
const KEY_TEXTS = [
  /-{4,5} ?(?:BEGIN|END) [A-Z0-9 ]+-{4,5}/iu,
  /\b(?:ssh-(?:rsa|dss|ed25519|ed448)|ecdsa-sha2-nistp\d+|sk-(?:ssh|ecdsa)-[\w@.-]+)\s+AAAA/u,
  /^PuTTY-User-Key-File/u,
  /<(?:RSAKeyValue|ECKeyValue|Modulus)>/u,
]

/** What encoded keys hold: the object identifiers of RSA, of curves and of Edwards curves, and names of OpenSSH. */
const KEY_BYTES = [
  '2a864886f70d0101', // PKCS #1, with its signatures
  '2a8648ce3d02', // keys on curves
  '2a8648ce3d0301', // NIST's curves
  '2b810400', // more of them
  '06032b65', // X25519 to Ed448
].map((hex) => Buffer.from(hex, 'hex'))

const SSH_NAMES = /^(?:openssh-key-v1|\0\0\0.(?:ssh-|ecdsa-|sk-))/su

/** DER of RSA keys alone: a sequence of long integers, behind a version where it is private. */
const RSA_DER = /^30(?:82....|81..)(?:020100)?02(?:82....|81..)/u

/** Of shells, Compose, Helm and documentation. */
const PLACEHOLDER = /^(?:\$\{[\w.:?-]+\}|\$\([\w ./<"'-]+\)|\{\{[^{}]+\}\}|\$[A-Z_]+|%[A-Z_]+%|<[A-Za-z_ -]+>)$/u

/** How often one text may be the encoding of another. */
const DEPTH = 3

/**
 * What a configured secret is instead of one. Keys are found also with `\n` for line breaks, without their headers, and
 * in base64 or hex: anybody who has the public key could sign tokens with it.
 */
export function shapeFault(secret: string): ShapeFault | undefined {
  // A file that is not UTF-8 was read as if it were: what is left of it is not the secret that it holds.
  if (/[\0\ufffd]/u.test(secret)) return NO_TEXT
  return faultOf(secret, DEPTH)
}

function faultOf(given: string, depth: number): ShapeFault | undefined {
  const text = given.replace(/\\[nr]/gu, '\n').replace(/^[\s"']+|[\s"']+$/gu, '')
  if (KEY_TEXTS.some((pattern) => pattern.test(text))) return PUBLIC_KEY
  if (isJson(text)) return JWK
  if (/^[a-z][a-z0-9+.-]*:\/\//iu.test(text)) return ADDRESS
  if (isPath(text)) return PATH
  if (/^eyJ[\w-]+\.[\w-]+\./u.test(text)) return TOKEN
  if (PLACEHOLDER.test(text)) return TEMPLATE
  const bytes = decode(text)
  if (!bytes) return undefined
  if (isKey(bytes)) return PUBLIC_KEY
  return depth > 0 ? faultOf(bytes.toString('utf8'), depth - 1) : undefined
}

function decode(text: string): Buffer | undefined {
  const compact = text.replace(/[\s:]/gu, '')
  if (/^(?:[\da-f]{2}){16,}$/iu.test(compact)) return Buffer.from(compact, 'hex')
  return /^[\w+/-]{24,}={0,2}$/u.test(compact) ? Buffer.from(compact, 'base64') : undefined
}

function isKey(bytes: Buffer): boolean {
  const hex = bytes.subarray(0, 32).toString('hex')
  if (RSA_DER.test(hex) || SSH_NAMES.test(bytes.toString('latin1'))) return true
  return KEY_BYTES.some((identifier) => bytes.includes(identifier))
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
