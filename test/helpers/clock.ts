import { type Clock, systemClock } from '../../src/lib/clock.ts'

/** A clock that moves when it is told to. */
export type ManualClock = Clock &
  Readonly<{
    /** Lets so many milliseconds pass; timers fire in their order, each after what the one before it set off. */
    advance(ms: number): Promise<void>
    /** Sets the date, as an administrator or NTP does: no time passes. */
    step(ms: number): void
    /** Timers that are running. */
    timers(): number
  }>

/** Node's own clock, on which all durations last longer: on a busy machine, a Redis that answers is not late. */
export function slowClock({ now = Date.now, factor = 20 } = {}): Clock {
  const { monotonic, after, every } = systemClock()
  return {
    now,
    monotonic: () => monotonic() / factor,
    after: (ms, callback) => after(factor * ms, callback),
    every: (ms, task) => every(factor * ms, task),
  }
}

/** Lets promises that are ready run on, those included that only these make ready. */
export const settle = async () => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

export function manualClock(start = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsed = 0
  let date = start
  const timers = new Map<object, { at: number; callback: () => void }>()
  const after = (ms: number, callback: () => void) => {
    const timer = {}
    timers.set(timer, { at: elapsed + Math.max(0, ms), callback })
    return () => void timers.delete(timer)
  }
  return {
    now: () => date,
    monotonic: () => elapsed,
    after,
    every(ms, task) {
      const timer = { cancel: () => {} }
      const run = () => {
        timer.cancel = after(ms, run)
        void task()
      }
      timer.cancel = after(ms, run)
      return () => timer.cancel()
    },
    async advance(ms) {
      const end = elapsed + ms
      await settle()
      for (;;) {
        let due: [timer: object, what: { at: number; callback: () => void }] | undefined
        for (const one of timers) if (one[1].at <= end && (!due || one[1].at < due[1].at)) due = one
        if (!due) break
        const [timer, { at, callback }] = due
        timers.delete(timer)
        date += at - elapsed
        elapsed = at
        callback()
        await settle()
      }
      date += end - elapsed
      elapsed = end
      await settle()
    },
    step(ms) {
      date += ms
    },
    timers: () => timers.size,
  }
}
