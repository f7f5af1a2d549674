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

t.test('by the clock, and when asked', async (t) => {
  const asked: string[] = []
  const { reloads, timers } = start(async (why) => void asked.push(why))
  t.strictSame(asked, [], 'not at the start: all has just been read')
  timers.tick()
  await reloads.reload()
  t.strictSame(asked, ['clock', 'asked'])
  reloads.close()
  t.equal(timers.running(), 0)
})

t.test('one that fails does not keep the others from it, and its message is not told', async (t) => {
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

t.test('one that hangs is not piled up on, and none runs beside itself', async (t) => {
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

t.test('nothing to reload is no timer', async (t) => {
  const { timers, reloads } = start()
  t.equal(timers.running(), 0)
  await reloads.reload()
})
