import { spawnSync } from 'node:child_process'

/** Runs it, and returns what it printed; an error of it is in the exception. */
export function run(tool: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { encoding: 'utf8', maxBuffer: 10_000_000 })
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${error?.message ?? `${stdout}${stderr}`}`)
  return stdout
}
