import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { createChain, macAtEnd, verifiedMac } from '../../../src/observe/audit/chain.ts'

const key = randomBytes(32)

t.test('each line names the one before it, and no key but its own fits', async (t) => {
  const chain = createChain(key, 'of-an-earlier-run')
  const lines = [chain.seal({ a: 1 }), chain.seal({ a: 2 })]
  const [first = '', second = ''] = lines
  t.equal(JSON.parse(first).previous, 'of-an-earlier-run')
  t.equal(JSON.parse(second).previous, JSON.parse(first).mac)
  t.equal(chain.head(), JSON.parse(second).mac)
  t.equal(macAtEnd(second), chain.head())
  t.equal(verifiedMac([randomBytes(32), key], second), chain.head(), 'one of several keys')
  t.equal(verifiedMac([randomBytes(32)], second), undefined)
  t.equal(verifiedMac([], second), undefined)
})

t.test('without a key a line is the event, and has no head', async (t) => {
  const chain = createChain(undefined)
  t.equal(chain.seal({ a: 1 }), '{"a":1}')
  t.equal(chain.head(), undefined)
})

t.test('no change of a line goes unseen, one that means the same included', async (t) => {
  const line = createChain(key).seal({ id: '1', data: { subject: 'alice' } })
  t.ok(verifiedMac([key], line))
  const changed = [
    line.replace('alice', 'bob'),
    line.replace('"id":', '"id": '),
    `${line} `,
    line.slice(0, -1),
    `x${line}`,
  ]
  for (const text of changed) t.equal(verifiedMac([key], text), undefined, text)
  t.equal(verifiedMac([key], line.replace('"data"', '"data":{},"data"')), undefined, 'a member that is there twice')
})

t.test('whatever an event holds, its line is one line, is visible, and means the same', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const line = createChain(key).seal({ text })
      t.notMatch(line, /[\p{Cc}\p{Cf}\u2028\u2029]/u)
      t.equal(JSON.parse(line).text, text)
      t.ok(verifiedMac([key], line))
    }),
    { examples: [['\n\r\u0000\u007f\u0085\u2028\u202e\u{e0001}\u{1f600}']] },
  )
})
