import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { startSandbox } from '../../../sandbox/index.ts'
import { sandboxEnvironment } from '../../../sandbox/local.ts'
import { environment } from '../../helpers/build.ts'
import { start } from '../../helpers/process.ts'
import { until } from '../../helpers/until.ts'
import type { LoadReport } from './load.ts'

const CONNECTIONS = 200

for (const manner of ['stay', 'return'] as const) {
  t.test(
    `SIGTERM under load of callers who ${manner === 'stay' ? 'stay away' : 'come again'} once they are told to close`,
    async (t) => {
      const sandbox = await startSandbox()
      t.teardown(() => sandbox.close())
      // So that each moment has many for whom STS is still being asked.
      sandbox.sts.faults.set({ kind: 'delay', ms: 150 })
      const { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET, ...jdcloud } = sandboxEnvironment(sandbox)
      const limits = { STS_MAX_RPS: '10000', STS_CONNECTIONS: '1024', SHUTDOWN_DELAY_MS: '400' }
      const service = start(t, { ...environment, ...jdcloud, ...limits, PORT: '0' })
      const log = lines(service)
      const url = await log.listening()

      const load = startLoad(t, url, manner)
      // Whoever connects for the first time when the listener is closed already would be refused.
      await until(() => log.connected() >= CONNECTIONS && log.vended() >= 2 * CONNECTIONS)
      const exit = once(service, 'exit')
      service.kill('SIGTERM')
      const { statuses, dropped, refused } = await load
      const [code, signal] = await exit
      t.strictSame([code, signal], [0, null])
      t.strictSame(dropped, [], 'whoever was accepted has a whole answer')
      t.strictSame(Object.keys(statuses), ['200'])
      t.equal(statuses['200'], log.vended(), 'nothing was paid out that did not arrive')
      t.equal(refused > 0, manner === 'return')
    },
  )
}

async function startLoad(t: Test, url: string, manner: string): Promise<LoadReport> {
  const script = new URL('load.ts', import.meta.url).pathname
  const args = [`--import=${import.meta.resolve('tsx')}`, script, url, String(CONNECTIONS), manner]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  for await (const chunk of child.stdout) output += chunk
  return JSON.parse(output)
}

/** What the service writes to its log, as it comes. */
function lines({ stdout }: Pick<ChildProcess, 'stdout'>) {
  let vended = 0
  const connected = new Set<string>()
  let rest = ''
  let found: (url: string) => void = () => {}
  const listening = new Promise<string>((resolve) => {
    found = resolve
  })
  stdout?.on('data', (chunk) => {
    const all = `${rest}${chunk}`.split('\n')
    rest = all.pop() ?? ''
    for (const line of all.filter((line) => line.includes('"msg":"vended"'))) {
      vended++
      const [first] = /user-upload@caller-\d+-0(?=")/u.exec(line) ?? []
      if (first) connected.add(first)
    }
    const [, url] = /listening at (http:[^"]+)/u.exec(String(chunk)) ?? []
    if (url) found(url)
  })
  return { listening: () => listening, vended: () => vended, connected: () => connected.size }
}
