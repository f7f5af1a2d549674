import fc from 'fast-check'
import t from 'tap'
import { BURST_MS, createLocalRate } from '../../src/sessions/rate.ts'

t.test('places are given out in order, a burst at once and the others at the rate', async (t) => {
  const rate = createLocalRate(100, () => 0)
  const waits = await Promise.all(Array.from({ length: 15 }, () => rate.reserve(1000)))
  t.strictSame(waits, [...Array(11).fill(0), 10, 20, 30, 40])
})

t.test('what would take too long is not taken, and told', async (t) => {
  let now = 0
  const rate = createLocalRate(1, () => now)
  t.equal(await rate.reserve(0), 0)
  t.equal(await rate.reserve(500), 900)
  t.equal(await rate.reserve(500), 900, 'nothing was taken by the one before')
  t.equal(await rate.reserve(900), 900)
  t.equal(await rate.reserve(900), 1900)
  now = 100_000
  t.equal(await rate.reserve(0), 0, 'and time that was idle is not saved up')
  t.equal(await rate.reserve(0), 900)
})

t.test('however it is asked, no more get through in any second than the rate and one burst', async () => {
  const steps = fc.array(
    fc.record({ pause: fc.integer({ min: 0, max: 400 }), most: fc.integer({ min: 0, max: 3000 }) }),
    { maxLength: 200 },
  )
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 200 }), steps, async (perSecond, asked) => {
      let now = 0
      const rate = createLocalRate(perSecond, () => now)
      const calls: number[] = []
      for (const { pause, most } of asked) {
        now += pause
        const wait = await rate.reserve(most)
        if (wait <= most) calls.push(now + wait)
      }
      const most = perSecond * (1 + BURST_MS / 1000) + 1 + 1e-6
      return calls.every((from) => calls.filter((at) => at >= from && at < from + 1000 - 1e-6).length <= most)
    }),
  )
})
