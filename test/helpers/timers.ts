import type { Every } from '../../src/lib/every.ts'

/** Timers that a test winds on by hand, and can count. */
export function manualTimers() {
  const running = new Set<{ milliseconds: number; task: Parameters<Every>[1] }>()
  const timersOf = (milliseconds?: number) =>
    [...running].filter((timer) => milliseconds === undefined || timer.milliseconds === milliseconds)
  const every: Every = (milliseconds, task) => {
    const timer = { milliseconds, task }
    running.add(timer)
    return () => running.delete(timer)
  }
  return {
    every,
    running: (milliseconds?: number) => timersOf(milliseconds).length,
    /** Each timer of this interval, or every one, once. */
    tick: (milliseconds?: number) => Promise.all(timersOf(milliseconds).map(({ task }) => task())),
  }
}
