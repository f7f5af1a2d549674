import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { nodeArgs } from './server.ts'

/**
 * Runs a script of the project in a process of its own. `input` is JSON on its standard input; its standard output is
 * JSON.
 */
export async function runScript(file: string, input: unknown): Promise<unknown> {
  const child = spawn(process.execPath, nodeArgs(file), {
    cwd: tmpdir(),
    env: {},
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stdin.end(JSON.stringify(input))
  const [code] = await exited
  if (code !== 0) throw new Error(`${file} ended with ${code}`)
  return JSON.parse(output)
}

/** For the script: reads its input. */
export async function readInput(): Promise<unknown> {
  return JSON.parse(Buffer.concat(await process.stdin.toArray()).toString('utf8'))
}
