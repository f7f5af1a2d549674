import { lacks, mergeRecords, pruned, REWRITE_MS, type Records } from './record.ts'
import type { SharedList } from './shared-list.ts'

type Dependencies = Readonly<{
  monotonic: () => number
  /** Told of all records when they have changed. `at` is what the monotonic clock showed at an instant of Redis' clock, or a little later. */
  take: (records: Records, at: Readonly<{ monotonic: number; redis: number }>) => void
  /** Told of each look at Redis: undefined when it went well. */
  looked: (fault?: string) => void
  /** Bytes in Redis that no replica can have left so. */
  implausible: () => void
}>

/** Redis may be out of reach for this long before the list counts as out of date. */
const STALE_MS = 5000
/** The pause between two repairs of the list in Redis. */
const WRITE_PAUSE_MS = 2000

/**
 * Keeps this replica's copy of the shared list up to date. It asks for a few bytes, and for the whole list when they have
 * changed; no request waits for it. If Redis loses the list, the replica keeps what it knows and puts it back.
 */
export function followList(list: SharedList, { monotonic, take, looked, implausible }: Dependencies) {
  let known: Records = new Map()
  let inRedis: Records = new Map()
  let [version, writtenAt] = ['none', 0]
  let readAt = Number.NEGATIVE_INFINITY
  let writeAt = Number.NEGATIVE_INFINITY
  let running: Promise<void> | undefined

  async function read(): Promise<void> {
    const found = await list.read()
    // After the answer: an instant that is too late costs an STS call, and one too early hands out an old session.
    const readNow = monotonic()
    version = found.version
    writtenAt = found.writtenAt
    inRedis = found.records
    if (found.implausible) implausible()
    const merged = pruned(mergeRecords(known, inRedis), found.redisNow)
    if (!lacks(known, merged) && merged.size === known.size) return
    known = merged
    take(known, { monotonic: readNow, redis: found.redisNow })
  }

  async function repair(redisNow: number): Promise<void> {
    const old = known.size > 0 && redisNow - writtenAt > REWRITE_MS
    if (monotonic() < writeAt || !(old || lacks(inRedis, known))) return
    writeAt = monotonic() + WRITE_PAUSE_MS
    known = pruned(known, redisNow)
    // A Redis that is full may refuse, or another replica was faster: the next look tells.
    await list.write(known, { version, redisNow }).catch(() => {})
  }

  async function look(): Promise<void> {
    try {
      const seen = await list.version()
      if (seen.version !== version) await read()
      readAt = monotonic()
      looked()
      await repair(seen.redisNow)
    } catch {
      const never = readAt === Number.NEGATIVE_INFINITY
      if (never) looked('the list in Redis has not been read yet')
      else if (monotonic() - readAt > STALE_MS) looked('the list in Redis cannot be read')
    }
  }

  return {
    /** One look at a time: a Redis that hangs must not build up a queue of them. */
    look(): Promise<void> {
      running ??= look().finally(() => {
        running = undefined
      })
      return running
    },
  }
}
