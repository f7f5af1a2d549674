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
  /** When the first living session ends, rounded down to a minute (monotonic clock); undefined if there is none. */
  nextEnd(): number | undefined
  clear(): void
}>

type Options = Readonly<{
  maxEntries: number
  maxBytes: number
  monotonic: () => number
  /** Told of each living session that had to make room. */
  onEvict?: () => void
}>

/** Memory of an entry beside its text in V8 and in the cache: measured, rounded up. */
const OVERHEAD_BYTES = 300
const MINUTE_MS = 60_000
/** Ended sessions that one new session clears away. More than one, so that clearing gets ahead of what is added. */
const CLEARED = 2

/** Bounded by entries and by bytes; the least recently used go first. */
export function createSessionStore({ maxEntries, maxBytes, monotonic, onEvict }: Options): SessionStore {
  /** How many end in each minute. To look through millions of sessions would make every request wait. */
  const ends = new Map<number, number>()
  function note({ endsAt }: KeptSession, change: 1 | -1): void {
    const minute = Math.floor(endsAt / MINUTE_MS)
    const count = (ends.get(minute) ?? 0) + change
    if (count === 0) ends.delete(minute)
    else ends.set(minute, count)
  }
  const sessions = new LRUCache<string, KeptSession>({
    max: maxEntries,
    maxSize: maxBytes,
    sizeCalculation: ({ accessKey, secretKey, sessionToken }, key) =>
      key.length + accessKey.length + secretKey.length + sessionToken.length + OVERHEAD_BYTES,
    onInsert: (session, _key, reason) => {
      if (reason !== 'update') note(session, 1)
    },
    dispose: (session, _key, reason) => {
      note(session, -1)
      if (reason === 'evict' && session.endsAt > monotonic()) onEvict?.()
    },
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
    nextEnd() {
      const thisMinute = Math.floor(monotonic() / MINUTE_MS)
      let next: number | undefined
      for (const minute of ends.keys()) {
        if (minute >= thisMinute && (next === undefined || minute < next)) next = minute
      }
      return next === undefined ? undefined : next * MINUTE_MS
    },
    size: () => ({ entries: sessions.size, bytes: sessions.calculatedSize }),
    clear: () => sessions.clear(),
  }
}
