import { capacity } from '../../bench/capacity/command.ts'

/** The command, in this process: its exit code and what it wrote. */
export function run(...args: string[]): Readonly<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const code = capacity(args, {
    write: (text) => {
      out += text
    },
    warn: (text) => {
      err += text
    },
  })
  return { code, out, err }
}
