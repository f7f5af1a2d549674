import t from 'tap'
import { createSessionStore } from '../../src/vending/session-store.ts'
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
