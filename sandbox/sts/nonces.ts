import type { Clock } from '../world.ts'

/** Remembers used nonces as long as a replay could still have an accepted date. */
export type NonceMemory = Readonly<{
  /** False if this access key used the nonce before, in a request that could still be replayed. */
  use(accessKey: string, nonce: string, validUntil: number): boolean
  /** The number of remembered nonces. */
  readonly size: number
}>

/** `validUntil`, in epoch milliseconds, is the last time at which the request's date is accepted. */
export function createNonceMemory(clock: Clock): NonceMemory {
  const used = new Map<string, number>()

  // Oldest first. A date in the future may keep later entries behind it, for two windows at most.
  function forget(now: number): void {
    for (const [entry, validUntil] of used) {
      if (validUntil >= now) return
      used.delete(entry)
    }
  }

  return {
    use(accessKey, nonce, validUntil) {
      const now = clock()
      forget(now)
      const entry = JSON.stringify([accessKey, nonce])
      const before = used.get(entry)
      if (before !== undefined && before >= now) return false
      used.delete(entry)
      used.set(entry, validUntil)
      return true
    },
    get size() {
      return used.size
    },
  }
}
