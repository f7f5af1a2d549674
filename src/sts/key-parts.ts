import type { SigningKeys } from '../lib/signature-v4.ts'

/** Of a secret, no more than this many characters in a row may stand in a log. */
const TELLING = 8

/**
 * Whether a text that an STS wrote, such as a request id, has a part of one of these keys. Access keys look like request
 * ids, and an error may quote what was sent, also backwards, in hex or in base64.
 */
export function hasPartOf(keys: readonly SigningKeys[], text: string): boolean {
  const secrets = keys.flatMap(({ accessKey, secretKey, sessionToken = '' }) => [accessKey, secretKey, sessionToken])
  return secrets.some((secret) => overlap(text, secret))
}

/** Whether a text has more in common with a key than chance would explain, regardless of case, hyphens, direction and encoding. */
function overlap(id: string, secret: string): boolean {
  const ids = [plain(id), reversed(plain(id))]
  return formsOf(secret).some((form) => ids.some((one) => haveInCommon(one, plain(form))))
}

function haveInCommon(one: string, other: string): boolean {
  if (other.length < TELLING) return other !== '' && one.includes(other)
  for (let at = 0; at + TELLING <= one.length; at++) if (other.includes(one.slice(at, at + TELLING))) return true
  return false
}

/** A key as it is, and in hex and base64, where each character depends on what it stands behind. */
function formsOf(secret: string): string[] {
  if (secret.length < TELLING) return [secret]
  const texts = [secret, secret.toLowerCase(), secret.toUpperCase()].flatMap((text) => [text, reversed(text)])
  const base64 = (text: string, at: number) => Buffer.from(text.slice(at)).toString('base64').replaceAll('=', '')
  return texts.flatMap((text) => [
    text,
    Buffer.from(text).toString('hex'),
    ...[0, 1, 2].map((at) => base64(text, at)).filter((form) => form.length >= TELLING),
  ])
}

const plain = (text: string) => text.toLowerCase().replaceAll('-', '')
const reversed = (text: string) => [...text].reverse().join('')
