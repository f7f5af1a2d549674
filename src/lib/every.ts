/** Runs `task` every so many milliseconds, until the returned function is called; keeps no process alive.
 * Nobody waits for what the task may promise but a test. */
export type Every = (milliseconds: number, task: () => void | Promise<void>) => () => void

/** Node's timers. */
export const every: Every = (milliseconds, task) => {
  const timer = setInterval(task, milliseconds).unref()
  return () => clearInterval(timer)
}
