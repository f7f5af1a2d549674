import { isDigestOfKnownText } from './known-digests.ts'
import { KNOWN_TEXTS } from './known-secrets.ts'

/**
 * A secret that takes fewer guesses than 2 to this power is weak. Tokens are an offline target: a machine that tries
 * 10^12 secrets a second takes some 20,000 years for 2^79 of them. Every common generator gives 128 bits or more.
 */
const ENOUGH_BITS = 80

/** Longer secrets are judged piece by piece, so that time stays bounded. One strong piece is enough. */
const PIECE_LENGTH = 128
const MAX_LENGTH = 4096

/** Letters that follow each other in English words: 190 pairs of 676, which are 93 of 100 in text. First, then seconds. */
const PAIRS =
  'abcdgilmnprstuvy baeloru caehiklortu deilo eacdefglmnpqrstvx faefioru gaeinu haeio iacdefglmnoprstv ke ladeilostuy ' +
  'mabeiop nacdegiostu oabcdlmnoprstuvw paeloprt qu raegiklmnorstuy sacehiopstuy tacehilorstuy uabcelmnprst vaei waehio xp yo'

const FOLLOWERS: ReadonlyMap<string, string> = new Map(PAIRS.split(' ').map((row) => [row.charAt(0), row.slice(1)]))

/** Characters that people write in place of letters. */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '!': 'i',
  '3': 'e',
  '4': 'a',
  '@': 'a',
  '5': 's',
  $: 's',
  '7': 't',
}

const fold = (text: string) => text.toLowerCase().replace(/[01!34@5$7]/gu, (char) => LOOK_ALIKES[char] ?? char)
const reversed = (text: string) => [...text].reverse().join('')

const KNOWN = fold(`${KNOWN_TEXTS} ${reversed(KNOWN_TEXTS)}`)

/** Bits. A character that follows as the ones before it do, as in `aaa`, `abc` and `8642`. */
const NEXT_IN_SEQUENCE = 0.5
/** Shannon: a letter of English text holds 1 to 1.5 bits. */
const LETTER_OF_A_WORD = 1.4
const FIRST_LETTER = Math.log2(26)
const CASE = 1
const DIGIT = Math.log2(10)
const SIGN = 5
const SIGN_AGAIN = 1
const OTHER = 8
/** A day of two centuries, and a year of them. */
const DATE = 16
const YEAR = 7.6
const DATES = /(?:19|20)\d\d([-/. ]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])|(?:19|20)\d\d/uy

/**
 * Whether a secret was made by a generator, or is long enough for a text: whether it takes {@link ENOUGH_BITS} to
 * describe it. Repeats, sequences, keyboard walks, dates, published examples and letters of words take few bits. What is
 * hex or base64 of something takes no more than that does, and a digest no more than the text that was hashed.
 */
export function isStrongSecret(secret: string): boolean {
  const decoded = encodedIn(secret)
  if (decoded.some((bytes) => isDigestOfKnownText(Buffer.from(bytes, 'latin1')))) return false
  return [secret, ...decoded].every((text) => pieces(text).some((piece) => bitsOf(piece) >= ENOUGH_BITS))
}

function pieces(text: string): string[] {
  const all: string[] = []
  for (let at = 0; at < Math.min(text.length, MAX_LENGTH); at += PIECE_LENGTH) {
    // Of the same length all, so that the last is not weak for being short.
    all.push(text.slice(Math.max(0, Math.min(at, text.length - PIECE_LENGTH)), at + PIECE_LENGTH))
  }
  return all
}

/** The bytes that a hex or base64 text encodes, one for each character, decoded again while they are hex or base64. */
function encodedIn(text: string, depth = 3): string[] {
  if (depth === 0) return []
  const compact = text.replace(/[\s:]/gu, '')
  const decoded: string[] = []
  if (/^(?:[\da-f]{2}){8,}$/iu.test(compact)) decoded.push(Buffer.from(compact, 'hex').toString('latin1'))
  else if (/^[\w+/-]{16,}={0,2}$/u.test(compact)) decoded.push(Buffer.from(compact, 'base64').toString('latin1'))
  return decoded.flatMap((one) => [one, ...encodedIn(one, depth - 1)])
}

const isPrintable = (text: string) => /^[\x20-\x7e\s]+$/u.test(text)

/** The bits of the shortest description of a text, out of literals, sequences, dates, known texts and repeats. */
function bitsOf(text: string): number {
  const folded = fold(text)
  const isRaw = !isPrintable(text)
  const best: number[] = [0]
  const offer = (end: number, bits: number) => {
    best[end] = Math.min(best[end] ?? Number.POSITIVE_INFINITY, bits)
  }
  for (let at = 0; at < text.length; at++) {
    const so = best[at] ?? 0
    offer(at + 1, so + Math.min(sequenceBits(text, at, isRaw), characterBits(text, at)))
    const date = dateAt(text, at)
    if (date) offer(at + date.length, so + date.bits)
    offerRepeats(folded, at, (length, bits) => offer(at + length, so + bits))
  }
  return best[text.length] ?? 0
}

/** All that stands here and also in a known text, or earlier in the secret: a place and a length describe it. */
function offerRepeats(folded: string, at: number, offer: (length: number, bits: number) => void): void {
  for (const { where, from } of [
    { where: KNOWN, from: KNOWN.length },
    { where: folded, from: at },
  ]) {
    const place = Math.log2(from)
    for (let length = 3; at + length <= folded.length; length++) {
      const found = where.indexOf(folded.slice(at, at + length))
      if (found < 0 || found >= from) break
      offer(length, place + Math.log2(length))
    }
  }
}

function dateAt(text: string, at: number): Readonly<{ length: number; bits: number }> | undefined {
  const date = new RegExp(DATES)
  date.lastIndex = at
  const [found] = date.exec(text) ?? []
  return found === undefined ? undefined : { length: found.length, bits: found.length > 4 ? DATE : YEAR }
}

/** Bytes that are no text may step as they like, and start again at zero. */
function sequenceBits(text: string, at: number, isRaw: boolean): number {
  const [a, b, c] = [text.charCodeAt(at - 2), text.charCodeAt(at - 1), text.charCodeAt(at)]
  const follows = isRaw ? ((c - b - (b - a)) & 255) === 0 : c - b === b - a && Math.abs(c - b) <= 2
  return at >= 2 && follows ? NEXT_IN_SEQUENCE : Number.POSITIVE_INFINITY
}

function characterBits(text: string, at: number): number {
  const char = text.charAt(at)
  if (/\d/u.test(char)) return DIGIT
  if (/[a-z]/iu.test(char)) {
    const before = text.charAt(at - 1)
    const follows = FOLLOWERS.get(fold(before))?.includes(char.toLowerCase()) ?? false
    const changes = /[a-z]/iu.test(before) && /[a-z]/u.test(before) !== /[a-z]/u.test(char)
    return (follows ? LETTER_OF_A_WORD : FIRST_LETTER) + (changes ? CASE : 0)
  }
  if (!/[\x20-\x7e]/u.test(char)) return OTHER
  return text.lastIndexOf(char, at - 1) >= 0 && at > 0 ? SIGN_AGAIN : SIGN
}
