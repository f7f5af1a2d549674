import { LRUCache } from 'lru-cache'
import type { Session } from './session.ts'

/** A session that is kept, and when to see to the next one (monotonic clock, milliseconds). */
export type KeptSession = Session & Readonly<{ refreshAt: number }>

/** The sessions that this process holds. */
export type SessionStore = Readonly<{
  /** The session, which counts as used by this. It may be over. */
  get(key: string): KeptSession | undefined
  set(key: string, session: KeptSession): void
  /** Sessions held, and about how many bytes they take. */
  size(): Readonly<{ entries: number; bytes: number }>
  clear(): void
}>

type Options = Readonly<{ maxEntries: number; maxBytes: number; monotonic: () => number }>

/** What V8 and the cache spend on an entry beside its texts: measured, rounded up. */
const OVERHEAD_BYTES = 480
/** How many old entries are looked at for each new one. More than one, so that looking gets ahead of what is added. */
const SWEEP = 4

/** Bounded by entries and by bytes; the least recently used go first. */
export function createSessionStore({ maxEntries, maxBytes, monotonic }: Options): SessionStore {
  const cache = new LRUCache<string, KeptSession>({
    max: maxEntries,
    maxSize: maxBytes,
    sizeCalculation: ({ accessKey, secretKey, sessionToken }, key) =>
      key.length + accessKey.length + secretKey.length + sessionToken.length + OVERHEAD_BYTES,
  })
  let sweep = cache.rkeys()

  /** Goes round and drops what is over. A timer for each entry, or a walk through a million, would be felt by callers. */
  function dropSomeThatAreOver(): void {
    for (let i = 0; i < SWEEP; i++) {
      const { done, value: key } = sweep.next()
      if (done) {
        sweep = cache.rkeys()
        return
      }
      const session = cache.peek(key)
      if (session && session.endsAt <= monotonic()) cache.delete(key)
    }
  }

  return {
    get: (key) => cache.get(key),
    set(key, session) {
      dropSomeThatAreOver()
      cache.set(key, session)
    },
    size: () => ({ entries: cache.size, bytes: cache.calculatedSize }),
    clear: () => cache.clear(),
  }
}
