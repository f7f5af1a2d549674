import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A server in a process of its own on a loopback port. */
export type Server = Readonly<{
  url: string
  /** Milliseconds from the start of the process until `/readyz` answered 200. */
  readyMs: number
  /** Resident memory in bytes, as Linux counts it. */
  rss(): Promise<number>
  /** Processor time in seconds, as Linux counts it. */
  cpu(): Promise<number>
  /** Resolves when the process has ended. */
  stop(): Promise<void>
}>

/**
 * The script to run: `file` is relative to the project, TypeScript or JavaScript. The process has no environment but
 * `env`.
 */
export type ServerOptions = Readonly<{
  file: string
  /** Arguments of the script for the port on which it must listen. */
  args?: (port: number) => readonly string[]
  env?: (port: number) => Readonly<Record<string, string>>
}>

const PATIENCE_MS = 30_000
const POLL_MS = 2
const root = new URL('../../', import.meta.url)

/** Node's arguments to run a script of the project from any current folder. */
export const nodeArgs = (file: string): string[] => [
  ...(file.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : []),
  fileURLToPath(new URL(file, root)),
]

/**
 * Starts a server and waits until it is ready. Its output is discarded: to write a log is part of the cost, to read it
 * is not.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { file, args = () => [], env = () => ({}) } = options
  const port = await freePort()
  const started = performance.now()
  const child = spawn(process.execPath, [...nodeArgs(file), ...args(port)], {
    // Not in the project, because a .env may lie there.
    cwd: tmpdir(),
    env: env(port),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit')
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4000)
  })
  const url = `http://127.0.0.1:${port}`
  while (!(await answers(`${url}/readyz`))) {
    const late = performance.now() - started > PATIENCE_MS
    if (late) child.kill('SIGKILL')
    if (late || child.exitCode !== null) throw new Error(`${file} did not become ready:\n${errors}`)
    await sleep(POLL_MS)
  }
  return {
    url,
    readyMs: performance.now() - started,
    async rss() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1]) * 1024
    },
    async cpu() {
      // The 12th and 13th field after the command's name, which may contain anything; in hundredths of a second on
      // every platform.
      const [, fields = ''] = /\) (.*)/u.exec(await readFile(`/proc/${child.pid}/stat`, 'utf8')) ?? []
      const ticks = fields.split(' ').slice(11, 13).map(Number)
      return ticks.reduce((sum, one) => sum + one, 0) / 100
    },
    async stop() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    }).on('error', () => resolve(false))
  })
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a port')
  await once(server, 'close')
  return address.port
}
