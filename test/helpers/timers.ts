import type { Every } from '../../src/every.ts'

/** Timers that a test winds on by hand, and can count. */
export function manualTimers() {
  const running = new Set<{ milliseconds: number; task: () => void }>()
  const every: Every = (milliseconds, task) => {
    const timer = { milliseconds, task }
    running.add(timer)
    return () => running.delete(timer)
  }
  return {
    every,
    running: () => running.size,
    /** Each timer of this interval, or every one, once. */
    tick(milliseconds?: number) {
      for (const timer of [...running]) {
        if (milliseconds === undefined || timer.milliseconds === milliseconds) timer.task()
      }
    },
  }
}
