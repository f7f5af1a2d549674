import t from 'tap'
import { build } from '../helpers/build.ts'
import { claims, mint } from '../helpers/tokens.ts'

/** The claims of a good token, without a scope, and with this text in front. */
function withoutScope(text: string): string {
  const { scope: _, ...rest } = claims()
  return mint(JSON.stringify(rest).replace('{', `{${text}`))
}

t.test('a scope that only looks like one gives nothing', async (t) => {
  const { app, asked } = await build(t)
  const rows = [
    { name: 'none', token: withoutScope('') },
    { name: 'in __proto__', token: withoutScope('"__proto__":{"scope":"oss.upload"},') },
    { name: 'in constructor.prototype', token: withoutScope('"constructor":{"prototype":{"scope":"oss.upload"}},') },
    { name: 'in a name with a NUL', token: withoutScope('"scope\\u0000":"oss.upload",') },
    { name: 'in a name with white space', token: withoutScope('" scope":"oss.upload",') },
    { name: 'in another case', token: withoutScope('"Scope":"oss.upload",') },
    { name: 'in look-alike letters', token: withoutScope('"s\\u0441ope":"oss.upload",') },
    { name: 'as an object', token: withoutScope('"scope":{"oss.upload":true},') },
  ]
  for (const { name, token } of rows) {
    t.test(name, async (t) => {
      const headers = { authorization: `Bearer ${token}` }
      const payload = { policy: 'user-upload' }
      const vended = await app.inject({ method: 'POST', url: '/v1/credentials', headers, payload })
      t.equal(vended.statusCode, 403)
      t.equal(vended.json().code, 'policy_not_allowed')
      const listed = await app.inject({ method: 'GET', url: '/v1/policies', headers })
      t.strictSame(listed.json(), { policies: [] })
    })
  }
  t.test('and STS is never asked', async (t) => t.strictSame(asked, []))
})

t.test('callers at the same time are each who their own token says', async (t) => {
  const { app } = await build(t)
  const names = Array.from({ length: 200 }, (_, n) => `caller-${n}`)
  const vended = await Promise.all(
    names.map(async (sub, n) => {
      // Every third one is refused half way, which must not leave anything behind for the next.
      const token = mint(claims({ sub, ...(n % 3 === 0 && { exp: 1 }) }))
      const headers = { authorization: `Bearer ${token}` }
      const payload = { policy: 'user-upload' }
      const response = await app.inject({ method: 'POST', url: '/v1/credentials', headers, payload })
      return response.statusCode === 200 ? response.json().oss.prefixes : response.statusCode
    }),
  )
  t.strictSame(
    vended,
    names.map((name, n) => (n % 3 === 0 ? 401 : [`users/${name}/`])),
  )
})

t.test('the log tells why a token was refused as a code, and never a claim', async (t) => {
  const { app, logs } = await build(t)
  const rows = [
    {
      name: 'expired',
      token: mint(claims({ exp: 1, email: 'SENTINEL' })),
      want: 'expired',
    },
    {
      name: 'of another audience',
      token: mint(claims({ aud: 'SENTINEL' })),
      want: 'audience',
    },
    {
      name: 'forged',
      token: mint(claims({ sub: 'SENTINEL' }), {}, 'x'.repeat(32)),
      want: 'signature',
    },
    { name: 'of another issuer', token: mint(claims({ iss: 'SENTINEL' })), want: 'issuer' },
    { name: 'that is no token', token: 'SENTINEL.x.y', want: 'malformed' },
    { name: 'with another algorithm', token: mint(claims(), { alg: 'HS512' }), want: 'algorithm' },
    { name: 'not yet valid', token: mint(claims({ nbf: 9_999_999_999 })), want: 'not_yet_valid' },
    { name: 'with a subject that is no text', token: mint(claims({ sub: ['SENTINEL'] })), want: 'subject' },
  ]
  for (const { name, token, want } of rows) {
    t.test(name, async (t) => {
      await app.inject({ method: 'GET', url: '/v1/policies', headers: { authorization: `Bearer ${token}` } })
      t.equal(
        logs
          .lines()
          .filter(({ msg }) => msg === 'refused')
          .at(-1)?.reason,
        want,
      )
    })
  }
  t.test('and no claim', async (t) => t.notMatch(logs.text(), /SENTINEL/u))
})
