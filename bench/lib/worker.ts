import { fork } from 'node:child_process'
import { on, once } from 'node:events'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'

/** A process that does what it is told to, and answers each time with one message. */
export type Worker = Readonly<{
  /** What it said when it was ready. */
  ready: unknown
  work(task: Readonly<Record<string, unknown>>): Promise<unknown>
  stop(): Promise<void>
}>

/** Starts a script of the project with `input` as JSON in its first argument. */
export async function startWorker(file: string, input: unknown, flags: readonly string[] = []): Promise<Worker> {
  const child = fork(fileURLToPath(new URL(`../../${file}`, import.meta.url)), [JSON.stringify(input)], {
    cwd: tmpdir(),
    env: {},
    execArgv: [...flags, '--import', import.meta.resolve('tsx')],
  })
  const exited = once(child, 'exit')
  const ended = new AbortController()
  exited.then(() => ended.abort(new Error(`${file} has ended`)))
  const messages = on(child, 'message', { signal: ended.signal })
  const next = async () => (await messages.next()).value[0]
  return {
    ready: await next(),
    async work(task) {
      child.send(task)
      return next()
    },
    async stop() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
