import fc from 'fast-check'
import t from 'tap'
import {
  byKey,
  type DenyRecord,
  lacks,
  MAX_RECORDS,
  mergeRecords,
  pruned,
  type Records,
  readRecords,
  writeRecords,
} from '../../src/denylist/record.ts'

const DAY = 86_400_000
const NOW = 100 * DAY
const record = (changes: Partial<DenyRecord> = {}): DenyRecord => ({
  by: 'subject',
  issuer: 'app',
  name: 'alice',
  denied: true,
  at: NOW,
  ...changes,
})
const sorted = (records: Records) => [...records.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1))

t.test('the later word about a name counts', async (t) => {
  const rows = [
    { name: 'one that lifts', these: record(), those: record({ denied: false, at: NOW + 1 }), want: false },
    { name: 'one that denies again', these: record({ denied: false }), those: record({ at: NOW + 1 }), want: true },
    { name: 'an older one that lifts', these: record(), those: record({ denied: false, at: NOW - 1 }), want: true },
    { name: 'at the same time, the one that denies', these: record({ denied: false }), those: record(), want: true },
  ]
  for (const { name, these, those, want } of rows) {
    t.test(name, async (t) => {
      for (const [a, b] of [
        [these, those],
        [those, these],
      ] as const) {
        t.strictSame(
          [...mergeRecords(byKey([a]), byKey([b])).values()].map(({ denied }) => denied),
          [want],
        )
      }
    })
  }
  const several = [record(), record({ by: 'token' }), record({ by: 'issuer', name: '' }), record({ issuer: 'b' })]
  t.equal(mergeRecords(byKey(several.slice(0, 2)), byKey(several.slice(2))).size, 4, 'other names are kept apart')
})

const anyRecords = fc
  .array(
    fc.record({
      by: fc.constantFrom('subject' as const, 'token' as const),
      issuer: fc.constantFrom('app', 'b'),
      name: fc.constantFrom('x', 'y', 'z'),
      denied: fc.boolean(),
      at: fc.integer({ min: 0, max: 3 }),
    }),
  )
  .map((records) => records.reduce<Records>((all, one) => mergeRecords(all, byKey([one])), new Map()))

t.test('replicas that tell each other what they know come to the same list, in whatever order', async () => {
  fc.assert(
    fc.property(anyRecords, anyRecords, anyRecords, (a, b, c) => {
      const one = mergeRecords(mergeRecords(a, b), c)
      const other = mergeRecords(c, mergeRecords(b, mergeRecords(a, b)))
      return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other)) && !lacks(one, a)
    }),
  )
})

t.test('a written list is read, and nothing else is', async (t) => {
  const records = byKey([record({ reason: 'r', until: NOW + 1 }), record({ by: 'token', denied: false })])
  t.strictSame(readRecords(writeRecords(records, NOW)), { writtenAt: NOW, records })
  const rows = [
    '',
    '[]',
    '{"records":[]}',
    '{"writtenAt":1,"records":[{}]}',
    '{"writtenAt":1,"records":[],"more":1}',
    JSON.stringify({ writtenAt: 1, records: Array(MAX_RECORDS + 1).fill(record()) }),
    JSON.stringify({ writtenAt: 1, records: [record({ at: -1 })] }),
    JSON.stringify({ writtenAt: 1, records: [{ ...record(), by: 'everyone' }] }),
  ]
  for (const text of rows) t.equal(readRecords(text), undefined, text.slice(0, 60))
})

t.test('only records that are no longer needed are forgotten', async (t) => {
  const rows = [
    { name: 'an old entry without an end stays', one: record({ at: 1 }), want: 1 },
    { name: 'one that ended lately stays', one: record({ at: 1, until: NOW - 29 * DAY }), want: 1 },
    { name: 'one that ended long ago goes', one: record({ at: 1, until: NOW - 31 * DAY }), want: 0 },
    { name: 'one that was lifted lately stays', one: record({ denied: false, at: NOW - 29 * DAY }), want: 1 },
    { name: 'one that was lifted long ago goes', one: record({ denied: false, at: NOW - 31 * DAY }), want: 0 },
  ]
  for (const { name, one, want } of rows) t.equal(pruned(byKey([one]), NOW).size, want, name)
})

t.test('of too many, the oldest that deny nobody go, and none that denies', async (t) => {
  const lifted = [0, 1, 2].map((n) => record({ name: `lifted-${n}`, denied: false, at: NOW - n }))
  const denied = Array.from({ length: MAX_RECORDS - 1 }, (_, n) => record({ name: `denied-${n}` }))
  const left = pruned(byKey([...lifted, ...denied]), NOW)
  t.equal(left.size, MAX_RECORDS)
  t.strictSame(
    [...left.values()].filter(({ denied }) => !denied).map(({ name }) => name),
    ['lifted-0'],
  )
  t.equal(pruned(byKey([...denied, record({ name: 'a' }), record({ name: 'b' })]), NOW).size, MAX_RECORDS + 1)
})
