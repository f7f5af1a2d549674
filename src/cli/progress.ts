import type { Io } from './io.ts'

/** Below so many templates there is nothing to wait for. */
const MANY = 200
const EVERY_MS = 100

/** Tells on a terminal how far a long run is; nothing anywhere else, so that logs stay readable. */
export function createProgress(io: Io, now: () => number = performance.now.bind(performance)) {
  let last = 0
  let shown = false
  return {
    step(done: number, total: number): void {
      if (!io.terminal.err || total < MANY || now() - last < EVERY_MS) return
      last = now()
      shown = true
      io.err(`\r${done} of ${total} templates`)
    },
    end(): void {
      if (shown) io.err('\r\u001b[K')
    },
  }
}
