import t from 'tap'
import { closable } from '../../src/lib/clock.ts'
import { manualClock, settle } from '../helpers/clock.ts'
import { failure } from '../helpers/vending.ts'

t.test('a wait ends with its promise, or with what is said when it is late', async (t) => {
  const clock = manualClock()
  const { within, sleep } = closable(clock)
  t.equal(await within(Promise.resolve('in time'), 100, async () => 'late'), 'in time')
  await t.rejects(
    within(Promise.reject(new Error('x')), 100, async () => 'late'),
    { message: 'x' },
  )
  const late = within(new Promise(() => {}), 100, async () => 'late')
  const slept = sleep(100).then(() => clock.monotonic())
  await clock.advance(100)
  t.equal(await late, 'late')
  t.equal(await slept, 100)
  t.equal(clock.timers(), 0)
})

t.test('timers fire once, or again and again, unless they are cancelled', async (t) => {
  const clock = manualClock()
  const { after, every } = closable(clock)
  const fired: string[] = []
  after(10, () => fired.push('once'))
  after(10, () => fired.push('never'))()
  const stop = every(20, () => void fired.push('again'))
  await clock.advance(50)
  stop()
  await clock.advance(50)
  t.strictSame(fired, ['once', 'again', 'again'])
  t.equal(clock.timers(), 0)
})

t.test('closing ends every wait and every timer, and those that are still to begin', async (t) => {
  const clock = manualClock()
  const closing = closable(clock)
  const waiting = [failure(closing.sleep(100)), failure(closing.within(new Promise(() => {}), 100, async () => 'late'))]
  const fired: string[] = []
  closing.after(10, () => fired.push('once'))
  closing.every(10, () => void fired.push('again'))
  closing.close()
  t.equal(clock.timers(), 0)
  t.strictSame(await Promise.all(waiting), [{ code: 'not_ready' }, { code: 'not_ready' }])
  t.strictSame(await failure(closing.sleep(1)), { code: 'not_ready' })
  t.strictSame(await failure(closing.within(Promise.reject(new Error('x')), 1, async () => 'late')), {
    code: 'not_ready',
  })
  closing.after(10, () => fired.push('once'))
  closing.every(10, () => void fired.push('again'))
  await clock.advance(100)
  await settle()
  t.strictSame(fired, [])
})
