import { LRUCache } from 'lru-cache'
import type { Session } from './session.ts'

/** A session in memory, and when to renew it (monotonic clock, milliseconds). */
export type KeptSession = Session & Readonly<{ refreshAt: number }>

/** The sessions that this process holds. */
export type SessionStore = Readonly<{
  /** The session may have ended. */
  get(key: string): KeptSession | undefined
  set(key: string, session: KeptSession): void
  /** Sessions held, and about how many bytes they take. */
  size(): Readonly<{ entries: number; bytes: number }>
  clear(): void
}>

type Options = Readonly<{ maxEntries: number; maxBytes: number; monotonic: () => number }>

/** Memory of an entry beside its text in V8 and in the cache: measured, rounded up. */
const OVERHEAD_BYTES = 300
/** Ended sessions that one new session clears away. More than one, so that clearing gets ahead of what is added. */
const CLEARED = 2

/** Bounded by entries and by bytes; the least recently used go first. */
export function createSessionStore({ maxEntries, maxBytes, monotonic }: Options): SessionStore {
  const sessions = new LRUCache<string, KeptSession>({
    max: maxEntries,
    maxSize: maxBytes,
    sizeCalculation: ({ accessKey, secretKey, sessionToken }, key) =>
      key.length + accessKey.length + secretKey.length + sessionToken.length + OVERHEAD_BYTES,
  })

  /** Nobody uses a session that has ended, so those gather at the end of the list. A timer for each would cost more. */
  function clearEnded(): void {
    let cleared = 0
    for (const key of sessions.rkeys()) {
      const session = sessions.peek(key)
      if (cleared === CLEARED || (session && session.endsAt > monotonic())) return
      sessions.delete(key)
      cleared += 1
    }
  }

  return {
    get: (key) => sessions.get(key),
    set(key, session) {
      clearEnded()
      sessions.set(key, session)
    },
    size: () => ({ entries: sessions.size, bytes: sessions.calculatedSize }),
    clear: () => sessions.clear(),
  }
}
