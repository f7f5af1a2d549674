import fc from 'fast-check'
import t from 'tap'
import { createWindows } from '../../src/http/windows.ts'

const windowMs = 60_000

t.test('a window opens with the first time, counts, and closes', async (t) => {
  let time = 1_000_000
  const windows = createWindows({ windowMs, maxKeys: 10, now: () => time })
  t.strictSame(windows.hit('a'), { current: 1, ttl: windowMs })
  time += 10_000
  t.strictSame(windows.hit('a'), { current: 2, ttl: 50_000 })
  t.strictSame(windows.hit('b'), { current: 1, ttl: windowMs }, 'another key has its own')
  t.strictSame(windows.peek('a'), { current: 2, ttl: 50_000 }, 'and to look counts nothing')
  time += 50_000
  t.equal(windows.peek('a'), undefined)
  t.strictSame(windows.hit('a'), { current: 1, ttl: windowMs })
})

t.test('several times are counted at once', async (t) => {
  const windows = createWindows({ windowMs, maxKeys: 10, now: () => 0 })
  t.strictSame(windows.hit('a', 9), { current: 9, ttl: windowMs })
  t.strictSame(windows.hit('a', 3), { current: 12, ttl: windowMs })
})

t.test('what others have counted is taken over, when it is more', async (t) => {
  const windows = createWindows({ windowMs, maxKeys: 10, now: () => 0 })
  windows.adopt('a', { current: 7, ttl: 5000 })
  t.strictSame(windows.hit('a'), { current: 8, ttl: 5000 })
  windows.adopt('a', { current: 3, ttl: 5000 })
  t.strictSame(windows.peek('a'), { current: 8, ttl: 5000 })
  windows.adopt('b', { current: 1, ttl: 9e12 })
  t.equal(windows.peek('b')?.ttl, windowMs, 'and no window is longer than ours')
})

t.test('a clock that is set back or forward ends the window, and never lengthens it', async (t) => {
  for (const step of [-3_600_000, 3_600_000]) {
    let time = 10_000_000
    const windows = createWindows({ windowMs, maxKeys: 10, now: () => time })
    for (let i = 0; i < 5; i++) windows.hit('a')
    time += step
    t.strictSame(windows.hit('a'), { current: 1, ttl: windowMs }, `${step} ms`)
  }
})

t.test('memory is bounded, and given back', async (t) => {
  let time = 0
  const windows = createWindows({ windowMs, maxKeys: 1000, now: () => time })
  for (let i = 0; i < 10_000; i++) windows.hit(`attacker-${i}`)
  t.equal(windows.size(), 1000)
  time += windowMs
  for (let i = 0; i < 1000; i++) windows.hit(`later-${i % 10}`)
  t.ok(windows.size() <= 1000)
  for (let i = 0; i < 1000; i++) windows.hit(`later still-${i}`)
  t.equal(windows.size(), 1000, 'those that have closed are gone')
})

t.test('for any order of times and keys, the count is the number of hits since the window opened', async () => {
  const events = fc.array(
    fc.record({ key: fc.constantFrom('a', 'b', 'c'), after: fc.integer({ min: 0, max: 30_000 }) }),
  )
  fc.assert(
    fc.property(events, (list) => {
      let time = 0
      const windows = createWindows({ windowMs, maxKeys: 3, now: () => time })
      const model = new Map<string, { from: number; hits: number }>()
      return list.every(({ key, after }) => {
        time += after
        const open = model.get(key)
        if (!open || time - open.from >= windowMs) model.set(key, { from: time, hits: 1 })
        else open.hits++
        const want = model.get(key)
        const { current, ttl } = windows.hit(key)
        return current === want?.hits && ttl === want.from + windowMs - time
      })
    }),
  )
})
