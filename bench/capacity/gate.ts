/** The way to STS: a token bucket with a bounded queue before it, second by second. */
export type Gate = Readonly<{
  /** Starts a second: what waits is called as far as the quota goes. While STS answers nobody, nobody is let in. */
  tick(answers: boolean): void
  /** `count` newcomers: how many are let in, at once or into the queue. The others are refused. */
  offer(count: number): number
  /** `count` that can do without: how many are let in now, of what those who wait leave over. */
  spare(count: number): number
  /** Whether one more would be let in now. */
  hasRoom(): boolean
  /** Calls made in this second so far. */
  calls(): number
  /** Seconds that the last one let in waits for a turn. */
  wait(): number
}>

/**
 * @param quota calls a second
 * @param queueSeconds the queue holds what the quota clears in so long
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
      // Nothing is saved up beyond one second, and one call must be possible under a quota of less than one.
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
