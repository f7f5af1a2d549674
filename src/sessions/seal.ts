import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** Encrypts what leaves this process for a cache that others can read and write. */
export type Seal = Readonly<{
  /** Bytes that open only under the same `name`. */
  seal(name: string, text: string): Buffer
  /** The text, or undefined for what was not sealed by one of the keys, under this name, or is not whole. */
  open(name: string, sealed: Buffer): string | undefined
  /**
   * What a text is called in that cache: a keyed hash, so that nobody who reads the cache can compute from a caller's name
   * where to look, or whom an entry belongs to. One name for each key; entries are written under the first.
   */
  names(text: string): Names
  /** The keys in use, the one that seals first. */
  keys(): readonly Buffer[]
  /** Seals and opens with these from now on. */
  replaceKeys(keys: readonly Buffer[]): void
}>

/** Of the envelope and of what is sealed in it: an entry of another version does not open. */
const VERSION = 2
const KEY_ID_BYTES = 4
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES

/** The names of one text, by the keys in their order. */
export type Names = readonly [string, ...string[]]

/**
 * AES-256-GCM. The first key seals and all of them open, so that a new one can be put in front of the old. The envelope
 * is version, id of the key, nonce, ciphertext, tag; version, id and name are authenticated with it, so that nobody who
 * can write to the cache can put one grant's session under the name of another.
 */
export function createSeal(keys: readonly Buffer[], random: (size: number) => Buffer = randomBytes): Seal {
  let known = identified(keys)
  const associated = (header: Buffer, name: string) => Buffer.concat([header, Buffer.from(name)])

  return {
    seal(name, text) {
      const [first] = known
      const nonce = random(NONCE_BYTES)
      const header = Buffer.concat([Buffer.of(VERSION), first.id])
      const cipher = createCipheriv('aes-256-gcm', first.key, nonce).setAAD(associated(header, name))
      return Buffer.concat([header, nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    },
    open(name, sealed) {
      if (sealed.length < HEADER_BYTES + TAG_BYTES || sealed[0] !== VERSION) return undefined
      const header = sealed.subarray(0, 1 + KEY_ID_BYTES)
      const nonce = sealed.subarray(1 + KEY_ID_BYTES, HEADER_BYTES)
      const body = sealed.subarray(HEADER_BYTES, -TAG_BYTES)
      for (const { key, id } of known) {
        if (!id.equals(header.subarray(1))) continue
        try {
          const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
          decipher.setAAD(associated(header, name)).setAuthTag(sealed.subarray(-TAG_BYTES))
          return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
        } catch {
          // Not by this key, whatever its id says.
        }
      }
      return undefined
    },
    names(text) {
      const nameBy = ({ nameKey }: Identified) => createHmac('sha256', nameKey).update(text).digest('base64url')
      const [first, ...others] = known
      return [nameBy(first), ...others.map(nameBy)]
    },
    keys: () => known.map(({ key }) => key),
    replaceKeys(keys) {
      known = identified(keys)
    },
  }
}

type Identified = Readonly<{ key: Buffer; id: Buffer; nameKey: Buffer }>

function identified(keys: readonly Buffer[]): readonly [Identified, ...Identified[]] {
  const [first, ...others] = keys.map((key) => ({
    key,
    id: createHash('sha256').update(key).digest().subarray(0, KEY_ID_BYTES),
    // One key must not serve two algorithms.
    nameKey: Buffer.from(hkdfSync('sha256', key, '', 'oss-vend names in Redis', 32)),
  }))
  if (!first) throw new Error('there is no key to seal with')
  return [first, ...others]
}
