import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { createSeal } from '../../src/sessions/seal.ts'

const [one, two] = [randomBytes(32), randomBytes(32)]
const SECRET = 'SENTINEL-session'

t.test('what is sealed opens to what it was', async (t) => {
  const { seal, open } = createSeal([one])
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, name) => open(name, seal(name, text)) === text),
  )
  t.notOk(seal('name', SECRET).includes(SECRET), 'and cannot be read before')
  t.notOk(seal('name', SECRET).equals(seal('name', SECRET)), 'nor be recognised')
})

t.test('a single flipped bit, wherever it is, and nothing opens', async (t) => {
  const { seal, open } = createSeal([one])
  const sealed = seal('name', SECRET)
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const bent = Buffer.from(sealed)
    bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    if (open('name', bent) !== undefined) t.fail(`bit ${bit}`)
  }
  t.equal(open('name', sealed), SECRET)
})

t.test('nor does anything else that is not ours', async (t) => {
  const { seal, open } = createSeal([one])
  const sealed = seal('alice', SECRET)
  t.equal(open('bob', sealed), undefined, 'under another name')
  t.equal(createSeal([two]).open('alice', sealed), undefined, 'under another key')
  for (let length = 0; length < sealed.length; length++) {
    if (open('alice', sealed.subarray(0, length)) !== undefined) t.fail(`cut off at ${length}`)
  }
  t.equal(open('alice', Buffer.concat([sealed, Buffer.of(0)])), undefined, 'with more behind it')
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => open('alice', Buffer.from(bytes)) === undefined))
})

t.test('keys are changed without a break: the first seals, all of them open', async (t) => {
  const [before, during, after] = [createSeal([one]), createSeal([two, one]), createSeal([two])]
  t.equal(during.open('n', before.seal('n', SECRET)), SECRET)
  t.equal(after.open('n', during.seal('n', SECRET)), SECRET)
  t.equal(after.open('n', before.seal('n', SECRET)), undefined)
  t.throws(() => createSeal([]))
})

t.test('keys can be replaced while it is used', async (t) => {
  const [old, young] = [randomBytes(32), randomBytes(32)]
  const seal = createSeal([old])
  const before = seal.seal('name', 'text')
  seal.replaceKeys([young, old])
  t.equal(seal.open('name', before), 'text', 'what the old one sealed still opens')
  const after = seal.seal('name', 'text')
  seal.replaceKeys([young])
  t.equal(seal.open('name', after), 'text', 'the new one seals')
  t.equal(seal.open('name', before), undefined, 'and the old one is gone')
  t.throws(() => seal.replaceKeys([]))
})
