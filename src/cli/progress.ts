import type { Io } from './io.ts'

/** Fewer templates are done before anybody reads a line. */
const MANY = 200
const EVERY_MS = 100

/** Shows progress on a terminal, and nothing elsewhere, so that logs stay readable. */
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
