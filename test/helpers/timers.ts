import { type Clock, systemClock } from '../../src/lib/clock.ts'

/** Repeating timers that a test winds on by hand, and can count. `clock` is the machine's but for these. */
export function manualTimers() {
  const running = new Set<{ milliseconds: number; task: Parameters<Clock['every']>[1] }>()
  const timersOf = (milliseconds?: number) =>
    [...running].filter((timer) => milliseconds === undefined || timer.milliseconds === milliseconds)
  const every: Clock['every'] = (milliseconds, task) => {
    const timer = { milliseconds, task }
    running.add(timer)
    return () => running.delete(timer)
  }
  return {
    every,
    clock: { ...systemClock(), every },
    running: (milliseconds?: number) => timersOf(milliseconds).length,
    /** Each timer of this interval, or every one, once. */
    tick: (milliseconds?: number) => Promise.all(timersOf(milliseconds).map(({ task }) => task())),
  }
}
