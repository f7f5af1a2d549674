import fc from 'fast-check'
import t from 'tap'
import { malformation } from '../../src/identity/malformed.ts'
import { readToken } from '../../src/identity/token.ts'
import { claims, mint } from '../helpers/tokens.ts'

const GOOD = mint(claims())
const [HEAD = '', BODY = '', SIGNATURE = ''] = GOOD.split('.')
const b64 = (text: string | Buffer) => Buffer.from(text).toString('base64url')

t.test('says why a token cannot be read', async (t) => {
  const rows: { name: string; token: string; want: RegExp }[] = [
    { name: 'nothing', token: '', want: /no token/u },
    { name: 'opaque', token: '2YotnFZFEjr1zCsicMWpAA', want: /opaque/u },
    { name: 'two parts', token: `${HEAD}.${BODY}`, want: /two parts/u },
    { name: 'encrypted', token: 'a.b.c.d.e', want: /encrypted token \(JWE\)/u },
    { name: 'four parts', token: 'a.b.c.d', want: /has 4 parts/u },
    { name: 'quotes', token: `"${GOOD}"`, want: /quotes/u },
    { name: 'wrapped', token: `${GOOD.slice(0, 70)}\n${GOOD.slice(70)}`, want: /white space/u },
    { name: 'an ellipsis', token: `${GOOD.slice(0, 70)}…`, want: /characters that no token has/u },
    { name: 'base64', token: `${HEAD}.${BODY}.${SIGNATURE}=`, want: /signature is base64, not base64url/u },
    { name: 'other characters', token: `${HEAD}.${BODY}~.x`, want: /payload is not base64url/u },
    { name: 'cut payload', token: `${HEAD}.${b64('{"a":1')}.AAAA`, want: /payload is not JSON/u },
    { name: 'cut signature', token: `${HEAD}.${BODY}.AAAAA`, want: /its length says that it was cut/u },
    { name: 'a changed last character', token: `${HEAD}.${BODY}.AB`, want: /last character was changed/u },
    { name: 'unsigned', token: `${HEAD}.${BODY}.`, want: /unsigned/u },
    { name: 'a list', token: `${HEAD}.${b64('[1]')}.AAAA`, want: /payload is JSON, but no object/u },
    { name: 'a text', token: `${b64('"x"')}.${BODY}.AAAA`, want: /header is JSON, but no object/u },
    { name: 'no UTF-8', token: `${HEAD}.${b64(Buffer.from([0xff]))}.AAAA`, want: /payload is not UTF-8/u },
    { name: 'a name twice', token: mint('{"sub":"a","sub":"b"}'), want: /payload has a name twice/u },
    { name: 'crit', token: mint(claims(), { crit: ['x'] }), want: /`crit`/u },
    { name: 'far too long', token: 'a'.repeat(40_000), want: /no limit to raise/u },
  ]
  for (const { name, token, want } of rows) t.match(malformation(token), want, name)
})

t.test('says something exactly when a token cannot be read, and never quotes it', async (t) => {
  const damaged = fc
    .tuple(fc.nat(GOOD.length), fc.nat(3), fc.string({ maxLength: 3 }))
    .map(([at, removed, added]) => GOOD.slice(0, at) + added + GOOD.slice(at + removed))
  fc.assert(
    fc.property(fc.oneof(damaged, fc.string(), fc.constant(GOOD)), (token) => {
      const said = malformation(token)
      t.equal(said === undefined, readToken(token) !== undefined)
      if (token.length > 20) t.notOk(said?.includes(token.slice(0, 20)))
    }),
  )
})
