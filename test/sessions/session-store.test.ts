import fc from 'fast-check'
import t from 'tap'
import { createSessionStore } from '../../src/sessions/session-store.ts'
import { credentials } from '../helpers/vending.ts'

const kept = (number: number, endsAt: number, sessionToken = 'token') => ({
  ...credentials(number, endsAt),
  sessionToken,
  endsAt,
  lengthMs: 3_600_000,
  from: 'cache' as const,
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

t.test('or when they take too many bytes', async (t) => {
  const sessions = store({ maxBytes: 20_000 })
  for (let i = 0; i < 50; i++) sessions.set(`key-${i}`, kept(i, 1, 't'.repeat(1000)))
  const { entries, bytes } = sessions.size()
  t.ok(entries > 10 && entries < 20, String(entries))
  t.ok(bytes <= 20_000 && bytes > 18_000, String(bytes))
  t.ok(sessions.get('key-49'))
  sessions.set('monster', kept(1, 1, 't'.repeat(30_000)))
  t.notOk(sessions.get('monster'), 'a session that is larger than the whole cache is not kept')
  t.equal(sessions.size().entries, entries, 'nor does it evict the others')
})

t.test('living sessions that had to make room are told, and no others', async (t) => {
  let now = 0
  let evicted = 0
  const sessions = store({ maxEntries: 2, monotonic: () => now, onEvict: () => evicted++ })
  sessions.set('a', kept(1, 10))
  sessions.set('b', kept(2, 10))
  sessions.set('b', kept(3, 1000))
  t.equal(evicted, 0, 'a session in the place of an older one')
  sessions.set('c', kept(4, 1000))
  t.equal(evicted, 1)
  now = 2000
  sessions.set('d', kept(5, 3000))
  sessions.clear()
  t.equal(evicted, 1, 'sessions that had ended')
  const large = store({ maxBytes: 5000, monotonic: () => now, onEvict: () => evicted++ })
  for (let i = 0; i < 8; i++) large.set(`key-${i}`, kept(i, 3000))
  now = 4000
  large.set('large', kept(9, 9000, 't'.repeat(3500)))
  t.ok(large.size().entries < 7, 'many made room at once')
  t.equal(evicted, 1, 'and all of them had ended')
})

t.test('the next end is that of the first living session, to a minute', async (t) => {
  const MINUTE = 60_000
  let now = 0
  const sessions = store({ monotonic: () => now, maxBytes: 20_000 })
  t.equal(sessions.nextEnd(), undefined)
  sessions.set('a', kept(1, 10 * MINUTE + 500))
  sessions.set('b', kept(2, 20 * MINUTE))
  sessions.set('c', kept(3, 20 * MINUTE + 30_000))
  t.equal(sessions.nextEnd(), 10 * MINUTE)
  sessions.set('a', kept(4, 30 * MINUTE))
  t.equal(sessions.nextEnd(), 20 * MINUTE, 'a session in its place')
  sessions.set('monster', kept(5, MINUTE, 't'.repeat(30_000)))
  t.equal(sessions.nextEnd(), 20 * MINUTE, 'what is too large is not kept')
  now = 25 * MINUTE
  t.equal(sessions.nextEnd(), 30 * MINUTE, 'those that have ended do not count')
  sessions.clear()
  t.equal(sessions.nextEnd(), undefined)
})

t.test('sessions that have ended make room as new ones are added', async (t) => {
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

t.test('no key ever finds the session of another, whatever is added and evicted', async () => {
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
          if (!sessions.get(key)) throw new Error('the session that was just added is missing')
        }
        const found = sessions.get(key)
        if (found && (found.accessKey !== key || found.sessionToken !== last.get(key)))
          throw new Error('another session')
        const { entries, bytes } = sessions.size()
        if (entries > 12 || bytes > 12_000) throw new Error('too many')
      }
    }),
  )
})
