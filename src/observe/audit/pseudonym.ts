import { createHmac } from 'node:crypto'

/** The kinds of text that can tell who a caller is. */
export type Kind = 'session' | 'param' | 'resource' | 'key' | 'keyPrefix' | 'userAgent' | 'requestId' | 'policy'

/** What stands in an event for texts that can tell who a caller is. */
export type Pseudonyms = Readonly<{
  subject(issuer: string, subject: string): string
  text(kind: Kind, text: string): string
  /** Whether texts are hidden at all. */
  hidden: boolean
}>

/** The texts themselves. */
export const plain: Pseudonyms = { subject: (_issuer, subject) => subject, text: (_kind, text) => text, hidden: false }

/** 162 bits, as in the names of sessions. */
const CHARACTERS = 27

/**
 * `hmac:` and a keyed hash. Equal texts of one kind stay equal, so events of one person can be counted and found; nobody
 * finds the text without the key, although subjects and folders are easy to guess.
 */
export function pseudonyms(key: Buffer): Pseudonyms {
  const hide = (...parts: readonly string[]) => {
    const mac = createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url')
    return `hmac:${mac.slice(0, CHARACTERS)}`
  }
  return {
    subject: (issuer, subject) => hide('subject', issuer, subject),
    text: (kind, text) => hide(kind, text),
    hidden: true,
  }
}
