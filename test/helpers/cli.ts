import { runCli } from '../../src/cli/cli.ts'
import type { Environment } from '../../src/config/environment.ts'
import { capturedIo } from './captured-io.ts'

/** What a command printed, and its exit code. `terminal` is whether it is shown to a person, `input` its standard input. */
export async function run(
  args: readonly string[],
  { env = {}, terminal = false, input = '' }: { env?: Environment; terminal?: boolean; input?: string } = {},
) {
  const { io, printed } = capturedIo(env, input, terminal)
  let served = false
  const serve = async () => {
    served = true
  }
  const exitCode = await runCli(args, io, serve)
  return { exitCode, ...printed, served }
}
