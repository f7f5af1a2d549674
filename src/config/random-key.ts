import { z } from 'zod'
import { shapeFault } from '../lib/secret-shape.ts'
import { isStrongSecret } from '../lib/secret-strength.ts'
import { list } from './setting.ts'

/** The bytes of a key for AES-256 or HMAC-SHA-256. */
export const KEY_BYTES = 32

/** A text that a person chose, the digest of one, a sequence, or something other than a secret. */
function isGuessable(key: Buffer): boolean {
  const text = key.toString('latin1')
  return (/^[\x20-\x7e]*$/u.test(text) && shapeFault(text) !== undefined) || !isStrongSecret(key.toString('base64'))
}

const randomKey = z
  .base64()
  .transform((value) => Buffer.from(value, 'base64'))
  // Zeros, or a few characters typed by hand, are not a key.
  .refine((key) => key.length === KEY_BYTES && new Set(key).size >= 16 && !isGuessable(key))

/** One or more random keys in base64, separated by commas. */
export const randomKeys = list.pipe(z.array(randomKey).min(1))
