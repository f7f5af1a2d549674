import fc from 'fast-check'
import t from 'tap'
import { MAX_TOKEN_BYTES, readToken } from '../../src/identity/token.ts'

const encode = (part: string | Buffer) => Buffer.from(part).toString('base64url')
const HEADER = '{"alg":"HS256"}'
const SIGNATURE = encode('signature')
const token = (payload: string | Buffer, header: string | Buffer = HEADER) =>
  `${encode(header)}.${encode(payload)}.${SIGNATURE}`

t.test('a compact JWS is read', async (t) => {
  const header = { alg: 'HS256' }
  const rows = [
    { name: 'claims', input: token('{"sub":"alice"}'), want: { header, payload: { sub: 'alice' } } },
    {
      name: 'white space inside of the JSON',
      input: token(' {"sub" : "alice"}\n'),
      want: { header, payload: { sub: 'alice' } },
    },
    { name: 'no claim', input: token('{}'), want: { header, payload: {} } },
    {
      name: 'colons, braces and quotes in text',
      input: token('{"a:b":"{\\"c\\":[1]}","d":"\\\\"}'),
      want: { header, payload: { 'a:b': '{"c":[1]}', d: '\\' } },
    },
    {
      name: 'one name in several objects',
      input: token('{"a":{"n":1},"b":[{"n":2},{"n":3}]}'),
      want: { header, payload: { a: { n: 1 }, b: [{ n: 2 }, { n: 3 }] } },
    },
    {
      name: 'names that differ in case',
      input: token('{"sub":"a","Sub":"b"}'),
      want: { header, payload: { sub: 'a', Sub: 'b' } },
    },
    { name: 'other scripts', input: token('{"sub":"李雷"}'), want: { header, payload: { sub: '李雷' } } },
    { name: 'crit among the claims', input: token('{"crit":["x"]}'), want: { header, payload: { crit: ['x'] } } },
  ]
  for (const { name, input, want } of rows)
    t.test(name, async (t) => {
      const { header, payload } = readToken(input) ?? {}
      t.strictSame({ header, payload }, want)
    })
  t.test('__proto__ stays a claim', async (t) => {
    const payload = readToken(token('{"__proto__":{"sub":"bob"}}'))?.payload ?? {}
    t.ok(Object.hasOwn(payload, '__proto__'))
    t.equal(payload.sub, undefined)
  })
})

t.test('anything that could be read in two ways is not', async (t) => {
  const good = token('{"sub":"alice"}')
  const [head = '', body = ''] = good.split('.')
  const twice = (payload: string) => ({ name: payload, input: token(payload) })
  const rows: { name: string; input: string }[] = [
    { name: 'nothing', input: '' },
    { name: 'one part', input: head },
    { name: 'two parts', input: `${head}.${body}` },
    { name: 'no signature', input: `${head}.${body}.` },
    { name: 'no header', input: `.${body}.${SIGNATURE}` },
    { name: 'no payload', input: `${head}..${SIGNATURE}` },
    { name: 'four parts', input: `${good}.${SIGNATURE}` },
    { name: 'five parts, as an encrypted one', input: `${good}.${head}.${body}` },
    { name: 'a dot behind', input: `${good}.` },
    { name: 'a space before', input: ` ${good}` },
    { name: 'a line break behind', input: `${good}\n` },
    { name: 'a space inside', input: `${head}.${body} .${SIGNATURE}` },
    { name: 'padding', input: `${head}.${body}.${encode('ab')}=` },
    { name: 'standard base64', input: `${head}.${body}.ab+/` },
    { name: 'characters beyond ASCII', input: `${head}.${body}.é` },
    { name: 'a NUL', input: `${head}.${body}.ab\0` },
    // 'YQ' and 'YR' both decode to 'a': the low bits of the last character are dropped.
    { name: 'bits that nothing reads, in the signature', input: `${head}.${body}.YR` },
    { name: 'bits that nothing reads, in the payload', input: `${head}.e31.${SIGNATURE}` },
    { name: 'a lone character', input: `${head}.${body}.${SIGNATURE}A` },
    twice('{"sub":"a","sub":"b"}'),
    twice('{"sub":"a","sub":"a"}'),
    twice('{"sub":"a","s\\u0075b":"b"}'),
    twice('{"a":{"b":{"c":1,"c":1}}}'),
    twice('{"a":[1,[{"b":1,"b":1}]]}'),
    twice('{"__proto__":1,"__proto__":2}'),
    twice('{"":1,"":2}'),
    twice('{"\\":":1,"\\":":2}'),
    twice('{"a":{},"a":{"b":1}}'),
    { name: 'alg twice', input: token('{}', '{"alg":"HS256","alg":"none"}') },
    { name: 'BOM', input: token('\ufeff{}') },
    { name: 'BOM before the header', input: token('{}', `\ufeff${HEADER}`) },
    { name: 'UTF-16', input: token(Buffer.from('{}', 'utf16le')) },
    { name: 'an overlong slash', input: token(Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d])) },
    { name: 'a surrogate in UTF-8', input: token(Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])) },
    { name: 'a cut character', input: token(Buffer.from([0x7b, 0x22, 0xe6, 0x9d, 0x22, 0x3a, 0x31, 0x7d])) },
    { name: 'not JSON', input: token('{sub:1}') },
    { name: 'more than JSON', input: token('{}{}') },
    { name: 'a comma too many', input: token('{"a":1,}') },
    { name: 'a list', input: token('[]') },
    { name: 'null', input: token('null') },
    { name: 'text', input: token('"{}"') },
    { name: 'a number', input: token('7') },
    { name: 'a header that is a list', input: token('{}', '[]') },
    { name: 'crit', input: token('{}', '{"alg":"HS256","crit":["b64"]}') },
    { name: 'crit, empty', input: token('{}', '{"alg":"HS256","crit":[]}') },
    { name: 'crit, null', input: token('{}', '{"alg":"HS256","crit":null}') },
    { name: 'deeper than any stack', input: token('['.repeat(24_000)) },
  ]
  for (const { name, input } of rows) t.test(name, async (t) => t.equal(readToken(input), undefined))
})

t.test('32 KiB are read, and not one byte more', async (t) => {
  const ofLength = (length: number) => {
    for (let signature = 1; signature < 4; signature++) {
      const rest = length - encode(HEADER).length - encode('s'.repeat(signature)).length - 2
      const payload = JSON.stringify({ p: 'x'.repeat(Math.floor((rest * 3) / 4) - '{"p":""}'.length) })
      const candidate = `${encode(HEADER)}.${encode(payload)}.${encode('s'.repeat(signature))}`
      if (candidate.length === length) return candidate
    }
    throw new Error('no token of that length')
  }
  t.equal(MAX_TOKEN_BYTES.most, 32_768)
  t.ok(readToken(ofLength(32_767)))
  t.ok(readToken(ofLength(32_768)))
  t.equal(readToken(ofLength(32_769)), undefined)
  t.equal(readToken(ofLength(1_000_000)), undefined)
})

t.test('there is one way to write each token', async (t) => {
  const payload = fc.constantFrom('{}', '{"sub":"a"}', '{"sub": 1}', '{ "s":"ab"}')
  const signature = fc.uint8Array({ minLength: 1, maxLength: 6 }).map((bytes) => Buffer.from(bytes))
  const good = fc
    .tuple(payload, signature)
    .map(([claims, bytes]) => `${encode(HEADER)}.${encode(claims)}.${encode(bytes)}`)
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    cut: fc.constantFrom(0, 1),
    put: fc.string({ unit: fc.constantFrom(...'AQRYZgw01-_=+/. \n'), maxLength: 1 }),
  })
  let changed = 0
  fc.assert(
    fc.property(good, change, (original, { at, cut, put }) => {
      const place = Math.floor(at * (original.length + 1))
      const input = original.slice(0, place) + put + original.slice(place + cut)
      if (!readToken(input)) return input !== original
      if (input !== original) changed++
      return input.split('.').every((part) => encode(Buffer.from(part, 'base64url')) === part)
    }),
    { numRuns: 10_000 },
  )
  t.ok(changed > 50, `${changed} that were changed are still tokens, other ones`)
})

t.test('any JSON object is read as JSON reads it, unless a name stands twice in it', async (t) => {
  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { minKeys: 1, maxKeys: 4 })
  fc.assert(
    fc.property(object, (value) => {
      const read = readToken(token(JSON.stringify(value)))
      return JSON.stringify(read?.payload) === JSON.stringify(value)
    }),
  )
  fc.assert(
    fc.property(object, fc.nat(3), (value, depth) => {
      const inner = JSON.stringify(value)
      const [name = ''] = Object.keys(value)
      let json = `${inner.slice(0, -1)},${JSON.stringify(name)}:0}`
      for (let level = 0; level < depth; level++) json = level % 2 ? `{"x":[${json}]}` : `{"y":${json}}`
      return readToken(token(json)) === undefined
    }),
  )
  t.pass('for all that were tried')
})
