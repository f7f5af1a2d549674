import type { Io } from '../../src/cli/io.ts'
import type { Environment } from '../../src/config/environment.ts'

/** The surroundings of a command: `input` is its standard input, `terminal` whether a person reads it. */
export function capturedIo(env: Environment, input: string, terminal = false) {
  const printed = { out: '', err: '' }
  const io: Io = {
    env,
    out: (text) => {
      printed.out += text
    },
    err: (text) => {
      printed.err += text
    },
    async *input() {
      yield input
    },
    terminal: { out: terminal, err: terminal },
  }
  return { io, printed }
}
