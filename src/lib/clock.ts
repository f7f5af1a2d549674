/** Time, as an argument. */
export type Clock = Readonly<{
  /** Epoch milliseconds, as the machine believes: it steps when somebody sets it. */
  now: () => number
  /** Milliseconds since some instant: what durations are measured by, since nobody can set it. */
  monotonic: () => number
  /** Calls back once, unless the function that it returns is called before. */
  after: (ms: number, callback: () => void) => () => void
}>

/** The machine's clock; `now` for whoever has another opinion of the date alone. */
export function systemClock(now: () => number = Date.now): Clock {
  return {
    now,
    monotonic: () => performance.now(),
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms)
      return () => clearTimeout(timer)
    },
  }
}
