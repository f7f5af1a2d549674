import { hash } from 'node:crypto'
import { HASHED_TEXTS, KNOWN_TEXTS } from './known-secrets.ts'

const ALGORITHMS = [
  { algorithm: 'md5', bytes: 16 },
  { algorithm: 'sha1', bytes: 20 },
  { algorithm: 'sha224', bytes: 28 },
  { algorithm: 'sha256', bytes: 32 },
  { algorithm: 'sha384', bytes: 48 },
  { algorithm: 'sha512', bytes: 64 },
]

/** Nobody hashes what is long and random already. */
const LONGEST = 24

/** As they are, in small letters, with a capital, and with the line break that `echo` puts behind them. */
const TEXTS: readonly string[] = [
  ...new Set(
    [...KNOWN_TEXTS.split(' '), ...HASHED_TEXTS]
      .filter((text) => text.length <= LONGEST)
      .flatMap((text) => [text, text.toLowerCase(), text.charAt(0).toUpperCase() + text.slice(1)])
      .flatMap((text) => [text, `${text}\n`]),
  ),
]

/**
 * Whether these bytes are what a common hash function makes of a text that attackers try first. The texts are hashed each
 * time: secrets are judged at start and when they change, and a table would take memory for as long as we run.
 */
export function isDigestOfKnownText(bytes: Buffer): boolean {
  const fitting = ALGORITHMS.filter((one) => one.bytes === bytes.length)
  if (fitting.length === 0) return false
  const hex = bytes.toString('hex')
  return fitting.some(({ algorithm }) => TEXTS.some((text) => hash(algorithm, text) === hex))
}
