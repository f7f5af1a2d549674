import { runCli } from '../../src/cli/cli.ts'
import type { Environment } from '../../src/config/environment.ts'

/** What a command printed, and its exit code. `terminal` is whether it is shown to a person, `input` its standard input. */
export async function run(
  args: readonly string[],
  { env = {}, terminal = false, input = '' }: { env?: Environment; terminal?: boolean; input?: string } = {},
) {
  let out = ''
  let err = ''
  const io = {
    env,
    out: (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
    async *input() {
      yield input
    },
    terminal: { out: terminal, err: terminal },
  }
  let served = false
  const serve = async () => {
    served = true
  }
  const exitCode = await runCli(args, io, serve)
  return { exitCode, out, err, served }
}
