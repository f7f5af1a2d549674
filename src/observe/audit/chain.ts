import { createHmac, timingSafeEqual } from 'node:crypto'

/** Makes the lines of one run. */
export type Chain = Readonly<{
  /** The line for an event, without its end. `event` must not have the members that this adds. */
  seal(event: object): string
  /** The `mac` of the last line; undefined for a chain without a key. */
  head(): string | undefined
}>

/**
 * Keyed, because a hash without a key detects accidents alone: whoever can change a line can also compute all hashes
 * behind it. Each line names the one before it, so that one `mac` that is kept elsewhere vouches for all lines up to it,
 * even against somebody who has the key.
 * @param previous the `mac` of the last line that is already in the file
 */
export function createChain(key: Buffer | undefined, previous?: string): Chain {
  let head = previous
  return {
    seal(event) {
      if (!key) return oneLine(JSON.stringify(event))
      const text = oneLine(JSON.stringify({ ...event, ...(head !== undefined && { previous: head }) }))
      // All but the closing brace.
      const body = text.slice(0, -1)
      head = macOf(key, body)
      return `${body}${BEFORE_MAC}${head}"}`
    },
    head: () => (key ? head : undefined),
  }
}

const BEFORE_MAC = ',"mac":"'
const MAC_AT_END = /^(.*),"mac":"([\w-]{43})"\}$/su

const macOf = (key: Buffer, body: string) => createHmac('sha256', key).update(body).digest('base64url')

/** The `mac` at the end of a line, unchecked; undefined if there is none. */
export const macAtEnd = (line: string): string | undefined => MAC_AT_END.exec(line)?.[2]

/** The `mac` of a line if one of the keys made it. Byte for byte: a line that only means the same is another line. */
export function verifiedMac(keys: readonly Buffer[], line: string): string | undefined {
  const [, body, mac] = MAC_AT_END.exec(line) ?? []
  if (body === undefined || mac === undefined) return undefined
  const given = Buffer.from(mac)
  return keys.some((key) => timingSafeEqual(Buffer.from(macOf(key, body)), given)) ? mac : undefined
}

/**
 * JSON leaves alone DEL, C1 controls, line separators and invisible characters, which end a line or turn its order for
 * some readers and terminals.
 */
function oneLine(json: string): string {
  // Most lines are ASCII, which costs a hundredth of the other search.
  return NOT_ASCII.test(json) ? json.replace(UNSEEN, escaped) : json
}
const NOT_ASCII = /[^ -~]/
const UNSEEN = /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu
const escaped = (character: string) =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
