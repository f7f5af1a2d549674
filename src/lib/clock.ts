import { VendError } from '../errors.ts'

/** Time, as an argument. Every timer of the service is one of these two, so that a test can wind all of them. */
export type Clock = Readonly<{
  /** Epoch milliseconds, as the machine believes: it steps when somebody sets it. */
  now: () => number
  /** Milliseconds since some instant: what durations are measured by, since nobody can set it. */
  monotonic: () => number
  /** Calls back once, unless the returned function is called before. */
  after: (ms: number, callback: () => void) => Cancel
  /** Calls back again and again until the returned function is called. Keeps no process alive. */
  every: (ms: number, task: () => void | Promise<void>) => Cancel
}>

type Cancel = () => void

/** The machine's clock; `now` for tests that have another opinion of the date alone. */
export function systemClock(now: () => number = Date.now): Clock {
  return {
    now,
    monotonic: () => performance.now(),
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms)
      return () => clearTimeout(timer)
    },
    every: (ms, task) => {
      const timer = setInterval(task, ms).unref()
      return () => clearInterval(timer)
    },
  }
}

/** A clock that can be waited for, until it is closed: no timer outlives it, and no caller is left waiting. */
export type ClosableClock = Clock &
  Readonly<{
    /** @throws {VendError} `not_ready` when the clock is closed meanwhile */
    sleep(ms: number): Promise<void>
    /**
     * Resolves with the promise's value, or after `ms` with that of `late`. The promise itself goes on.
     * @throws {VendError} `not_ready` when the clock is closed meanwhile
     */
    within<T>(promise: Promise<T>, ms: number, late: () => Promise<T>): Promise<T>
    /** Ends every timer and every wait, those included that are still to begin. */
    close(): void
  }>

/** The same clock with an end of its own. */
export function closable(clock: Clock): ClosableClock {
  const ends = new Set<() => void>()
  let closed = false

  /** Starts a timer; `onClose` is called in its place when the clock is closed. */
  function begin(start: (done: () => void) => Cancel, onClose: () => void): Cancel {
    const cancel = start(() => ends.delete(end))
    const end = () => {
      cancel()
      onClose()
    }
    ends.add(end)
    return () => {
      ends.delete(end)
      cancel()
    }
  }

  function wait<T>(promise: Promise<T> | undefined, ms: number, late: () => Promise<T>): Promise<T> {
    if (closed) {
      promise?.catch(() => {})
      return Promise.reject(new VendError('not_ready'))
    }
    return new Promise<T>((resolve, reject) => {
      const onTime = (done: () => void) =>
        clock.after(ms, () => {
          done()
          resolve(late())
        })
      const cancel = begin(onTime, () => reject(new VendError('not_ready')))
      promise?.finally(cancel).then(resolve, reject)
    })
  }

  return {
    now: clock.now,
    monotonic: clock.monotonic,
    after(ms, callback) {
      if (closed) return () => {}
      const onTime = (done: () => void) =>
        clock.after(ms, () => {
          done()
          callback()
        })
      return begin(onTime, () => {})
    },
    every: (ms, task) =>
      closed
        ? () => {}
        : begin(
            () => clock.every(ms, task),
            () => {},
          ),
    sleep: (ms) => wait<void>(undefined, ms, async () => {}),
    within: wait,
    close() {
      closed = true
      for (const end of ends) end()
      ends.clear()
    },
  }
}
