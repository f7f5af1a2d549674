import type { Io } from './io.ts'

/** Fewer templates are read before anyone can read a line. */
const MANY = 200
const EVERY_MS = 100

type Options = Readonly<{ noun?: string; least?: number; now?: () => number }>

/** Shows progress on a terminal, from `least` things on, and nothing elsewhere, so that logs stay readable. */
export function createProgress(
  io: Io,
  { noun = 'templates', least = MANY, now = performance.now.bind(performance) }: Options = {},
) {
  let last = Number.NEGATIVE_INFINITY
  let shown = false
  return {
    step(done: number, total: number): void {
      if (!io.terminal.err || total < least || now() - last < EVERY_MS) return
      last = now()
      shown = true
      io.err(`\r${done} of ${total} ${noun}`)
    },
    end(): void {
      if (shown) io.err('\r\u001b[K')
    },
  }
}
