import t from 'tap'
import { createReloads, type Reloader } from '../../src/reload/reloads.ts'
import { captureLogs } from '../helpers/logs.ts'
import { manualTimers } from '../helpers/timers.ts'

function start(...reloaders: Reloader[]) {
  const timers = manualTimers()
  const logs = captureLogs()
  const reloads = createReloads(reloaders, { logger: logs.logger, clock: timers.clock })
  reloads.start()
  return { reloads, timers, logs }
}

t.test('reloads run by the clock and on request', async (t) => {
  const asked: string[] = []
  const { reloads, timers } = start(async (why) => void asked.push(why))
  t.strictSame(asked, [], 'not at the start, because everything was just read')
  timers.tick()
  await reloads.reload()
  t.strictSame(asked, ['clock', 'asked'])
  reloads.close()
  t.equal(timers.running(), 0)
})

t.test('a failing reload does not stop the others, and its message is not logged', async (t) => {
  let others = 0
  const { reloads, logs } = start(
    () => Promise.reject(new Error('SENTINEL')),
    async () => void others++,
  )
  await reloads.reload()
  await reloads.reload()
  t.equal(others, 2)
  t.equal(logs.lines().filter(({ msg }) => msg === 'a reload failed').length, 2)
  t.notMatch(logs.text(), 'SENTINEL')
})

t.test('a hanging reload builds no queue, and none runs twice at a time', async (t) => {
  let running = 0
  let most = 0
  let release = () => {}
  const looks: string[] = []
  const { reloads, timers } = start(async (why) => {
    looks.push(why)
    most = Math.max(most, ++running)
    await new Promise<void>((resolve) => {
      release = resolve
    })
    running--
  })
  timers.tick()
  await Promise.resolve()
  for (let i = 0; i < 100; i++) timers.tick()
  const asked = reloads.reload()
  release()
  while (looks.length < 2) await new Promise(setImmediate)
  release()
  await asked
  t.strictSame(looks, ['clock', 'asked'])
  t.equal(most, 1)
})

t.test('without anything to reload, no timer runs', async (t) => {
  const { timers, reloads } = start()
  t.equal(timers.running(), 0)
  await reloads.reload()
})
