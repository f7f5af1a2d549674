import fc from 'fast-check'
import t from 'tap'
import { createSessionStore } from '../../src/sessions/session-store.ts'
import { memoryOf } from '../helpers/memory.ts'
import { credentials } from '../helpers/vending.ts'

const kept = (number: number, endsAt: number, sessionToken = 'token') => ({
  ...credentials(number, endsAt),
  sessionToken,
  endsAt,
  refreshAt: 0,
})
const store = (options: Partial<Parameters<typeof createSessionStore>[0]> = {}) =>
  createSessionStore({ maxEntries: 100, maxBytes: 1_000_000, monotonic: () => 0, ...options })

t.test('the least recently used go when there are too many', async (t) => {
  const sessions = store({ maxEntries: 3 })
  for (const name of ['a', 'b', 'c']) sessions.set(name, kept(1, 1))
  sessions.get('a')
  sessions.set('d', kept(4, 1))
  t.strictSame(
    ['a', 'b', 'c', 'd'].filter((name) => sessions.get(name)),
    ['a', 'c', 'd'],
  )
})

t.test('or too much', async (t) => {
  const sessions = store({ maxBytes: 20_000 })
  for (let i = 0; i < 50; i++) sessions.set(`key-${i}`, kept(i, 1, 't'.repeat(1000)))
  const { entries, bytes } = sessions.size()
  t.ok(entries > 10 && entries < 20, String(entries))
  t.ok(bytes <= 20_000 && bytes > 18_000, String(bytes))
  t.ok(sessions.get('key-49'))
  sessions.set('monster', kept(1, 1, 't'.repeat(30_000)))
  t.notOk(sessions.get('monster'), 'one that is larger than all of it is not kept')
  t.equal(sessions.size().entries, entries, 'nor does it drive the others out')
})

t.test('what is over makes room as new ones come, wherever it stands', async (t) => {
  let now = 0
  const sessions = store({ monotonic: () => now, maxEntries: 10_000 })
  sessions.set('long', kept(0, 1_000_000))
  for (let i = 0; i < 100; i++) sessions.set(`old-${i}`, kept(i, 1000))
  sessions.get('long')
  now = 1000
  for (let i = 0; i < 100; i++) sessions.set(`new-${i}`, kept(i, 2000))
  t.equal(sessions.size().entries, 101)
  t.ok(sessions.get('long'))
  t.ok(sessions.get('new-0'))
  sessions.clear()
  t.strictSame(sessions.size(), { entries: 0, bytes: 0 })
})

t.test('whoever is used stays, however often others come, and however seldom it is moved for it', async (t) => {
  const sessions = store({ maxEntries: 1000 })
  sessions.set('used', kept(0, 1))
  for (let i = 0; i < 5000; i++) {
    sessions.set(`new-${i}`, kept(i, 1))
    if (i % 100 === 0 && !sessions.get('used')) t.fail(`lost after ${i}`)
    // Who comes to the front without being new passes it, too.
    sessions.get(`new-${i - 500}`)
  }
  t.ok(sessions.get('used'))
  t.equal(sessions.size().entries, 1000)
})

t.test('those who go leave their memory to those who come', async (t) => {
  const memory = memoryOf(t)
  const sessions = store()
  for (let i = 0; i < 20_000; i++) sessions.set(`key-${i % 200}`, kept(i, 1, 't'.repeat(800)))
  t.equal(memory.length, 1)
})

t.test('a session is the same object for whoever comes back, until it is replaced', async (t) => {
  const sessions = store()
  sessions.set('a', kept(1, 1))
  const first = sessions.get('a')
  t.equal(sessions.get('a'), first)
  sessions.set('a', kept(2, 1))
  t.strictSame(sessions.get('a'), kept(2, 1))
  t.not(sessions.get('a'), first)
})

t.test('more than are kept as objects are still there, each with all that is its own', async (t) => {
  const sessions = store({ maxEntries: 10_000, maxBytes: 100_000_000 })
  const odd = (i: number) => ({ ...kept(i, 1e9 + i / 7, `"${i}" 世\\ \ud800`), refreshAt: i / 3 })
  for (let i = 0; i < 6000; i++) sessions.set(`key-${i}`, odd(i))
  for (let round = 0; round < 2; round++)
    for (let i = 0; i < 6000; i += 7) t.strictSame(sessions.get(`key-${i}`), odd(i), `key-${i}`)
})

t.test('nobody gets what is not his, whatever comes and goes', async () => {
  const step = fc.record({
    key: fc.nat(30).map(String),
    length: fc.option(fc.nat(2000)),
    passes: fc.nat(30),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      let now = 0
      const sessions = store({ maxEntries: 12, maxBytes: 12_000, monotonic: () => now })
      const last = new Map<string, string>()
      for (const [number, { key, length, passes }] of steps.entries()) {
        now += passes
        if (length !== null) {
          const token = `${key} ${number} `.padEnd(length, '.')
          sessions.set(key, { ...kept(number, now + 500, token), accessKey: key })
          last.set(key, token)
          if (!sessions.get(key)) throw new Error('what has just come is not there')
        }
        const found = sessions.get(key)
        if (found && (found.accessKey !== key || found.sessionToken !== last.get(key))) throw new Error('not his')
        const { entries, bytes } = sessions.size()
        if (entries > 12 || bytes > 12_000) throw new Error('too many')
      }
    }),
  )
})
