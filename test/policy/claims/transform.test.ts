import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { claimText, TRANSFORMS, type Transform } from '../../../src/policy/claims/transform.ts'
import { policyValue } from '../../../src/policy/language/value.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hash = (value: unknown, issuer = 'app') => claimText(value, 'hash', issuer)

t.test('texts of claims', async (t) => {
  const rows: { transform?: Transform; value: unknown; want: string | undefined }[] = [
    { value: 'Alice', want: 'Alice' },
    { value: 'CORP\\jane', want: undefined },
    { transform: 'lower', value: 'Alice@X.ie', want: 'alice@x.ie' },
    { transform: 'lower', value: 'alice', want: 'alice' },
    { transform: 'lower', value: 'ÜNAL', want: 'ünal' },
    { transform: 'lower', value: 7, want: '7' },
    { transform: 'lower', value: "O'Brien@x.ie", want: undefined },
    { transform: 'lower', value: 'A*', want: undefined },
    { transform: 'lower', value: 'A/B', want: undefined },
    // The Kelvin sign, which is a k in lower case, is not in NFC.
    { transform: 'lower', value: '\u212a', want: undefined },
    // A letter whose lower case ends in a combining dot, which two spellings could hide.
    { transform: 'lower', value: '\u0130', want: undefined },
    { transform: 'lower', value: '..', want: undefined },
    { transform: 'lower', value: 'A'.repeat(129), want: undefined },
    { transform: 'domain', value: 'alice@X.ie', want: 'x.ie' },
    { transform: 'domain', value: "o'brien+list@mail.x.ie", want: 'mail.x.ie' },
    { transform: 'domain', value: 'a@localhost', want: 'localhost' },
    { transform: 'domain', value: 'jörg@müller.de', want: 'müller.de' },
    ...['x.ie', '@x.ie', 'a@', 'a@b@x.ie', '"a@b"@x.ie', 'a@x.ie.', 'a@.x.ie', 'a@x..ie', 'a@.', 'a@..', 'a@*'].map(
      (value) => ({ transform: 'domain' as const, value, want: undefined }),
    ),
    ...['a@x.ie/b', 'a@x.ie b', 'a@x.ie\n', 'a@[10.0.0.1]', 'a@x.ie:25', 'a@x,ie', 'a@\u212a.ie', 'a@', '@'].map(
      (value) => ({ transform: 'domain' as const, value, want: undefined }),
    ),
    { transform: 'domain', value: `a@${'x'.repeat(129)}`, want: undefined },
    { transform: 'domain', value: 7, want: undefined },
  ]
  for (const { transform, value, want } of rows) {
    t.test(`${transform ?? 'as it is'}: ${JSON.stringify(value).slice(0, 40)}`, async (t) =>
      t.equal(claimText(value, transform, 'app'), want),
    )
  }
})

t.test('hashes', async (t) => {
  t.equal(hash('alice'), sha256('3:app5:alice'))
  t.equal(hash('alice', 'partner'), sha256('7:partner5:alice'))
  t.equal(hash('李雷'), sha256('3:app6:李雷'), 'lengths are bytes')
  t.equal(hash(42), hash('42'), 'a number is its decimal text, as without a transform')
  const subjects = [
    ...['system:serviceaccount:ns:name', 'auth0|64f', 'AUTH0|64f', 'auth0|64F', "o'brien@x.ie", 'CORP\\jane', '*', '/'],
    ...[
      'repo:o/r:ref:refs/heads/main',
      'repo:o/r:ref:refs/heads/Main',
      '..',
      '.',
      ' ',
      ' a',
      'a ',
      '\0',
      '\n',
      '${jwt:sub}',
    ],
    // Unicode calls each two equal.
    ...['é', 'e\u0301', '\u212a', 'K', '\uac00', '\u1100\u1161', '\u200b', '\u202e', '𠮷', 'a'.repeat(1024)],
  ]
  const hashes = subjects.map((subject) => hash(subject))
  t.equal(new Set(hashes).size, subjects.length, 'every subject has its own')
  for (const text of hashes) {
    t.match(text, /^[0-9a-f]{64}$/u)
    t.equal(policyValue(text), text)
  }
  const refused = ['', '\ud800', 'a\udfff', '\udc00\ud800', 'a'.repeat(1025), 'é'.repeat(513), 'x'.repeat(10_000_000)]
  for (const value of refused) t.equal(hash(value), undefined, JSON.stringify(value).slice(0, 20))
})

t.test('a value that is no text and no whole number has no text', async (t) => {
  const values = [null, undefined, true, false, {}, { sub: 'a' }, [], ['a'], 1.5, 2 ** 53, Number.NaN, 1e21, () => 'a']
  for (const transform of [undefined, ...TRANSFORMS]) {
    for (const value of values) t.equal(claimText(value, transform, 'app'), undefined, `${transform}: ${String(value)}`)
  }
})

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc
    .array(fc.constantFrom('a', 'A', '@', '.', '*', '/', ':', '3:', 'app', '\ud800', '\0', 'é', '|'), { maxLength: 8 })
    .map((all) => all.join('')),
)
const issuer = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,8}$/u)

t.test('neither two subjects nor two issuers ever meet through a hash', async (t) => {
  let compared = 0
  const property = fc.property(
    issuer,
    anyText,
    issuer,
    anyText,
    fc.boolean(),
    fc.boolean(),
    (a, one, b, two, alike, same) => {
      // Near misses: the same text, the same issuer, or one text moved into the other part.
      const [first, second] = [hash(one, a), hash(same ? one : two, alike ? a : b)]
      const equal = (alike || a === b) && (same || one === two)
      if (first === undefined || second === undefined) return true
      compared++
      return (first === second) === equal
    },
  )
  fc.assert(property, { numRuns: 3000 })
  t.ok(compared > 1000, `${compared} pairs`)
  const shifted = fc.property(
    issuer,
    issuer,
    (a, b) => hash(b, a) !== hash('', a + b) && hash(`b${b}`, a) !== hash(b, `${a}b`),
  )
  fc.assert(shifted)
})

t.test('what enters a policy is always a plain value', async (t) => {
  let entered = 0
  const property = fc.property(
    fc.oneof(anyText, fc.anything()),
    fc.constantFrom(undefined, ...TRANSFORMS),
    (value, transform) => {
      const text = claimText(value, transform, 'app')
      if (text === undefined) return true
      entered++
      return policyValue(text) === text
    },
  )
  fc.assert(property, { numRuns: 3000 })
  t.ok(entered > 250, `${entered} entered`)
})
