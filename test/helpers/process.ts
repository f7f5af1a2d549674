import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { Test } from 'tap'
import type { Environment } from '../../src/config/environment.ts'

/** The service as a process, in a folder without a .env. */
export function start(t: Test, env: Environment, cwd = t.testdir({})): ChildProcessByStdio<null, Readable, Readable> {
  const main = new URL('../../src/main.ts', import.meta.url).pathname
  const typescript = new URL('typescript/register.js', import.meta.url).href
  const child = spawn(process.execPath, [`--import=${typescript}`, main], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

/** Its exit code, and all that it wrote. */
export async function ended(child: ReturnType<typeof start>) {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const [code] = await once(child, 'close')
  return { code, output }
}

/** Where it listens, once it does. */
export async function listening(child: ReturnType<typeof start>): Promise<string> {
  let log = ''
  for await (const chunk of child.stdout) {
    log += chunk
    const [, url] = /listening at (http:[^"]+)/u.exec(log) ?? []
    if (url) {
      child.stdout.resume()
      return url
    }
  }
  throw new Error(`it ended before it listened: ${log}`)
}
