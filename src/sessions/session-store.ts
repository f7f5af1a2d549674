import { LRUCache } from 'lru-cache'
import { createOffHeap, offHeapBytes } from './off-heap.ts'
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

/** A session with its key, as it is held. */
type Entry = readonly [
  key: string,
  accessKey: string,
  secretKey: string,
  sessionToken: string,
  expiresAt: number,
  endsAt: number,
  refreshAt: number,
]

/** What V8 and the cache spend on an entry beside its text: measured, rounded up. */
const OVERHEAD_BYTES = 200
/** How many old entries are looked at for each new one. More than one, so that looking gets ahead of what is added. */
const SWEEP = 2
/** So many sessions are objects as well, for whoever comes back soon: the very same ones, some 5 MB in all. */
const MAX_READ = 4096
/**
 * Who is used again stays where it stands in the order of use while no more than such a part of all can have passed it.
 * To move each time is to go to far corners of memory, which cost more than the rest of a look-up.
 */
const STAYS = 1 / 16

/** Bounded by entries and by bytes; the least recently used go first. */
export function createSessionStore({ maxEntries, maxBytes, monotonic }: Options): SessionStore {
  const texts = createOffHeap()
  const read = new LRUCache<string, Readonly<{ session: KeptSession; movedAt: number }>>({ max: MAX_READ })
  const ids = new LRUCache<string, number>({
    max: maxEntries,
    maxSize: maxBytes,
    dispose(id, key) {
      read.delete(key)
      texts.remove(id)
    },
  })
  let sweep = ids.rkeys()
  /** How often one came to the front of the order of use. */
  let moves = 0

  function sessionAt(id: number, key: string): KeptSession | undefined {
    const entry: Entry = JSON.parse(texts.read(id))
    const [name, accessKey, secretKey, sessionToken, expiresAt, endsAt, refreshAt] = entry
    // Whatever went wrong, a session is never given to another caller.
    return name === key ? { accessKey, secretKey, sessionToken, expiresAt, endsAt, refreshAt } : undefined
  }

  /** Goes round and drops what is over. A timer for each entry, or a walk through a million, would be felt by callers. */
  function dropSomeThatAreOver(): void {
    for (let i = 0; i < SWEEP; i++) {
      const { done, value: key } = sweep.next()
      if (done) {
        sweep = ids.rkeys()
        return
      }
      const id = ids.peek(key)
      const session = id === undefined ? undefined : sessionAt(id, key)
      if (session && session.endsAt <= monotonic()) ids.delete(key)
    }
  }

  return {
    get(key) {
      const known = read.get(key)
      if (known && moves - known.movedAt <= ids.size * STAYS) return known.session
      const id = ids.get(key)
      if (id === undefined) return undefined
      moves++
      const session = known?.session ?? sessionAt(id, key)
      if (session) read.set(key, { session, movedAt: moves })
      return session
    },
    set(key, { accessKey, secretKey, sessionToken, expiresAt, endsAt, refreshAt }) {
      dropSomeThatAreOver()
      moves++
      const entry: Entry = [key, accessKey, secretKey, sessionToken, expiresAt, endsAt, refreshAt]
      const text = JSON.stringify(entry)
      const size = offHeapBytes(Buffer.byteLength(text)) + OVERHEAD_BYTES
      if (size > maxBytes) ids.delete(key)
      else ids.set(key, texts.add(text), { size })
    },
    size: () => ({ entries: ids.size, bytes: ids.calculatedSize }),
    clear() {
      ids.clear()
      texts.clear()
    },
  }
}
