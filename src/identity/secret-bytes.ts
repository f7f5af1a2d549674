/** How a configured secret writes the bytes that sign tokens. */
export const SECRET_ENCODINGS = ['utf8', 'base64', 'base64url', 'hex'] as const
export type SecretEncoding = (typeof SECRET_ENCODINGS)[number]

const FORMS: Readonly<Record<SecretEncoding, RegExp>> = {
  utf8: /./su,
  base64: /^[A-Za-z\d+/]+={0,2}$/u,
  base64url: /^[\w-]+={0,2}$/u,
  hex: /^(?:[\da-f]{2})+$/iu,
}

/**
 * The bytes of a secret; undefined for a text that is not of this encoding. A decoder would drop what it does not know,
 * and a shorter secret would be left.
 */
export function secretBytes(text: string, encoding: SecretEncoding): Buffer | undefined {
  const compact = encoding === 'utf8' ? text : text.replace(/\s/gu, '')
  if (!FORMS[encoding].test(compact)) return undefined
  const bytes = Buffer.from(compact, encoding)
  if (encoding === 'utf8' || encoding === 'hex') return bytes
  const letters = compact.replace(/=+$/u, '').replaceAll('+', '-').replaceAll('/', '_')
  return bytes.toString('base64url') === letters ? bytes : undefined
}
