import type { Clock } from '../world.ts'

/** Remembers the nonces that were used, for as long as a replay could still pass the check of its date. */
export type NonceMemory = Readonly<{
  /** False when this access key used the nonce before, in a request that could still be replayed. */
  use(accessKey: string, nonce: string, validUntil: number): boolean
  /** How many are remembered. */
  readonly size: number
}>

/** `validUntil`, in epoch milliseconds, is the last instant at which the request's date is accepted. */
export function createNonceMemory(clock: Clock): NonceMemory {
  const used = new Map<string, number>()

  // Oldest first. A date from the future may keep younger entries behind it, for two windows at the most.
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
