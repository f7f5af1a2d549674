import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Caller } from './caller.ts'
import type { Issuer } from './issuer.ts'
import type { TrustedKeys } from './trusted-issuer.ts'

/** A token that was verified, without the token. */
export type VerifiedToken = Readonly<{
  caller: Caller
  issuer: Issuer
  /** The source whose key verified it. */
  keys: TrustedKeys
  /** {@link keysInUse} of it when the verification began. */
  revision: number | undefined
}>

/**
 * Remembers who verified tokens belong to, so that a signature is checked once and not for each request. Dates are not
 * its business: the caller of `find` must check them each time.
 */
export type VerifiedTokens = Readonly<{
  /** Undefined as well when the keys of its source have changed since, or are too old to verify anything. */
  find(token: string): VerifiedToken | undefined
  /** For tokens that passed every check, and no others: a refused one must never be looked up here. */
  add(token: string, verified: VerifiedToken): void
  delete(token: string): void
  /** Forgets the tokens of these callers. */
  forget(callers: (caller: Caller) => boolean): void
  clear(): void
  size(): number
}>

/** Memory is bounded by this average length, too: a token of 8 KiB counts as four. */
const AVERAGE_TOKEN_BYTES = 2048

type Options = Readonly<{ maxEntries: number; onLookup?: (result: 'hit' | 'miss') => void }>

/** Undefined for no entries: then each token is verified each time. */
export function createVerifiedTokens({ maxEntries, onLookup = () => {} }: Options): VerifiedTokens | undefined {
  if (maxEntries === 0) return undefined
  const entries = new LRUCache<string, VerifiedToken>({
    max: maxEntries,
    maxSize: maxEntries * AVERAGE_TOKEN_BYTES,
  })
  return {
    find(token) {
      const key = keyOf(token)
      const known = entries.get(key)
      // Compared at each use, and not emptied by whatever changes keys: no such place can be forgotten.
      const good = known !== undefined && known.revision !== undefined && known.revision === keysInUse(known.keys)
      onLookup(good ? 'hit' : 'miss')
      return good ? known : undefined
    },
    add: (token, verified) => void entries.set(keyOf(token), verified, { size: token.length }),
    delete: (token) => void entries.delete(keyOf(token)),
    forget(callers) {
      for (const [key, { caller }] of entries) if (callers(caller)) entries.delete(key)
    },
    clear: () => entries.clear(),
    size: () => entries.size,
  }
}

/** Over the whole token: two that share a header, a payload or a signature are two tokens. */
const keyOf = (token: string) => hash('sha256', token, 'base64url')

/** Another number for other keys of this source; undefined while it has none that may verify. */
export function keysInUse({ key, keySet }: TrustedKeys): number | undefined {
  if (keySet) return keySet.usable() ? keySet.revision() : undefined
  return key?.revision()
}
