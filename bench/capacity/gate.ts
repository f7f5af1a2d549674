/** Models the way to STS second by second: a token bucket behind a bounded queue. */
export type Gate = Readonly<{
  /** Starts a second and makes waiting calls while the quota lasts. During an outage, the gate lets nobody in. */
  tick(answers: boolean): void
  /**
   * Offers `count` new callers and returns how many the gate lets in, at once or into the queue. It refuses the others.
   */
  offer(count: number): number
  /** Offers `count` optional calls and returns how many it lets in. Waiting callers have priority. */
  spare(count: number): number
  /** Whether the gate would let one more caller in now. */
  hasRoom(): boolean
  /** Calls made so far in this second. */
  calls(): number
  /** Seconds that the caller let in last waits. */
  wait(): number
}>

/**
 * @param quota calls a second
 * @param queueSeconds size of the queue: the calls that the quota allows in this time
 */
export function createGate(quota: number, queueSeconds: number): Gate {
  const room = quota * queueSeconds
  let tokens = 0
  let waiting = 0
  let made = 0
  let open = true
  const call = (count: number) => {
    tokens -= count
    made += count
  }
  return {
    tick(answers) {
      made = 0
      open = answers
      // Unused quota lasts one second. The minimum of one allows a call even under a quota below one a second.
      tokens = open ? Math.min(Math.max(quota, 1), tokens + quota) : 0
      const cleared = Math.min(waiting, Math.floor(tokens))
      waiting -= cleared
      call(cleared)
    },
    offer(count) {
      if (!open) return 0
      const now = waiting > 0 ? 0 : Math.min(count, Math.floor(tokens))
      call(now)
      const queued = Math.min(count - now, Math.max(0, Math.floor(room - waiting)))
      waiting += queued
      return now + queued
    },
    spare(count) {
      if (!open || waiting > 0) return 0
      const now = Math.min(count, Math.floor(tokens))
      call(now)
      return now
    },
    hasRoom: () => open && (tokens >= 1 || room - waiting >= 1),
    calls: () => made,
    wait: () => (waiting > 0 ? waiting / quota : 0),
  }
}
