import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { environment } from '../helpers/build.ts'
import { start } from '../helpers/process.ts'
import { claims, mint } from '../helpers/tokens.ts'
import { until } from '../helpers/until.ts'
import { good } from './served.ts'

t.test('SIGHUP', async (t) => {
  const directory = t.testdir({ policies: { 'a.yaml': good() } })
  const policies = `${directory}/policies`
  const env = { ...environment, PORT: '0', POLICIES_DIR: policies }
  const child = start(t, env, directory)
  let log = ''
  child.stdout.on('data', (chunk) => {
    log += chunk
  })
  const address = () => /listening at (http:[^"]+)/u.exec(log)?.[1]
  await until(address)
  const url = address()
  const listed = async () => {
    const response = await fetch(`${url}/v1/policies`, { headers: { authorization: `Bearer ${mint(claims())}` } })
    const { policies } = JSON.parse(await response.text())
    return policies.map(({ name }: { name: string }) => name).join()
  }
  /** Sends the signal, and waits until this has been said once more. */
  const hangUp = async (message: string) => {
    const times = () => log.split(`"msg":"${message}"`).length
    const before = times()
    child.kill('SIGHUP')
    await until(() => times() > before)
    t.equal(times(), before + 1, message)
  }
  t.equal(await listed(), 'a')
  writeFileSync(`${policies}/b.yaml`, good())
  t.equal(await listed(), 'a')
  await hangUp('policies loaded')
  t.equal(await listed(), 'a,b')
  writeFileSync(`${policies}/c.yaml`, 'description: [\n')
  rmSync(`${policies}/a.yaml`)
  await hangUp('policies refused, the old ones stay')
  t.equal(await listed(), 'a,b', 'the old ones stay')
  t.match(log, `${policies}/c.yaml:2:1: error syntax`)
  rmSync(`${policies}/c.yaml`)
  await hangUp('policies loaded')
  t.equal(await listed(), 'b')
  t.notMatch(log, /SENTINEL|eyJ[\w-]{8,}\./u, 'no secret in it')
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  t.strictSame(await exit, [0, null])
})
