import type { Clock } from '../clock.ts'

/** So many calls at a time; a bounded number of others wait in line. */
export type Bulkhead = Readonly<{
  /**
   * Runs the call when it is its turn.
   * @throws {QueueError} when the line is full, or the turn did not come before `until` (monotonic clock)
   */
  run<T>(call: () => Promise<T>, when: Readonly<{ until: number; background: boolean }>): Promise<T>
  /** Calls that run, and calls that wait. */
  load(): Readonly<{ running: number; queued: number }>
  /** Turns away all who wait, and whoever still comes. */
  close(): void
}>

/** A call did not get its turn. `full` was told at once. */
export class QueueError extends Error {
  override readonly name = 'QueueError'
  readonly reason: 'full' | 'late' | 'closed'

  constructor(reason: QueueError['reason']) {
    super(`no turn: ${reason}`)
    this.reason = reason
  }
}

type Options = Readonly<{ limit: number; queueLimit: number; clock: Pick<Clock, 'after' | 'monotonic'> }>
type Waiter = Readonly<{ start: () => void; refuse: (reason: QueueError['reason']) => void }>

/**
 * First come, first served; the newest is refused when the line is full, since it would wait the longest.
 *
 * `background` calls never wait and leave half of the places free: they are for callers who already have a session, and
 * must not stand in the way of those who have none.
 */
export function createBulkhead({ limit, queueLimit, clock }: Options): Bulkhead {
  const queue = new Set<Waiter>()
  let running = 0
  let closed = false

  function turn({ until, background }: { until: number; background: boolean }): Promise<void> | undefined {
    if (closed) throw new QueueError('closed')
    if (running < (background ? Math.ceil(limit / 2) : limit)) {
      running += 1
      return undefined
    }
    if (background || queue.size >= queueLimit) throw new QueueError('full')
    return new Promise((resolve, reject) => {
      const leave = () => {
        cancel()
        queue.delete(waiter)
      }
      const waiter: Waiter = {
        // The place is handed over, so that nobody who comes now can slip in between.
        start: () => {
          leave()
          resolve()
        },
        refuse: (reason) => {
          leave()
          reject(new QueueError(reason))
        },
      }
      const cancel = clock.after(until - clock.monotonic(), () => waiter.refuse('late'))
      queue.add(waiter)
    })
  }

  function handOver(): void {
    const [next] = queue
    if (next) next.start()
    else running -= 1
  }

  return {
    async run(call, when) {
      await turn(when)
      try {
        return await call()
      } finally {
        handOver()
      }
    },
    load: () => ({ running, queued: queue.size }),
    close() {
      closed = true
      for (const { refuse } of queue) refuse('closed')
    },
  }
}
