import fc from 'fast-check'
import t from 'tap'
import { build, environment } from '../helpers/build.ts'
import { inspectReport } from '../helpers/inspect.ts'
import { profiles } from '../helpers/profiles.ts'
import { AUDIENCE, claims, ISSUER, keys, mint } from '../helpers/tokens.ts'

const SECONDS = Math.floor(Date.now() / 1000)
const ENTRY = { issuer: ISSUER, audience: AUDIENCE, secret: keys.hmac }
const OTHER = 'other-secret-of-more-than-thirty-two-bytes-for-tests-only-4567'
const HOME = { name: 'home', issuer: 'none', audience: 'none', secret: OTHER, subject: 'id', subjectType: 'integer' }
const TENANTS = {
  ...ENTRY,
  name: 'azure',
  issuer: [ISSUER, 'https://sts.test/{tid}/'],
  tenants: ['one'],
  subject: 'oid',
}
const configurations = [
  [{ ...ENTRY, name: 'app' }],
  [{ ...ENTRY, name: 'app', audienceClaim: 'client_id', maxTokenAgeSeconds: 600, allowedTypes: ['at+jwt', 'absent'] }],
  [TENANTS, HOME],
  [{ name: 'set', issuer: ISSUER, audience: AUDIENCE, jwksFile: 'set.json' }, HOME],
  [{ ...ENTRY, name: 'two', jwksFile: 'set.json', subject: 'id', subjectType: 'integer' }],
]

/** One of the usual values, mostly the one that is good. */
const usually = <T>(good: T, ...others: readonly T[]) =>
  fc.oneof({ arbitrary: fc.constant(good), weight: 4 }, { arbitrary: fc.constantFrom(good, ...others), weight: 1 })

const payloads = fc.record({
  iss: usually<unknown>(ISSUER, `${ISSUER}/`, 'https://sts.test/one/', 'https://sts.test/two/', 7, null, undefined),
  aud: usually<unknown>(AUDIENCE, 'x', [AUDIENCE, 'x'], [AUDIENCE, 7], undefined),
  client_id: usually<unknown>(AUDIENCE, 'x', [AUDIENCE], undefined),
  tid: usually<unknown>('one', 'two', undefined),
  sub: usually<unknown>('alice', '', 7, ['alice'], undefined),
  oid: usually<unknown>('alice', 7, undefined),
  id: usually<unknown>(7, '7', 7.5, -0, undefined),
  exp: usually<unknown>(SECONDS + 86_400, SECONDS - 60, 'soon', -1, 99_999_999_999, undefined, null),
  nbf: usually<unknown>(undefined, SECONDS - 60, SECONDS + 600, 'x', -1),
  iat: usually<unknown>(SECONDS - 60, undefined, SECONDS - 6000, SECONDS + 600, {}),
  typ: usually<unknown>(undefined, 'Refresh', 'ID', 'Bearer'),
  events: usually<unknown>(undefined, {}),
})
const headers = fc.record({
  alg: usually('HS256', 'RS256', 'ES256', 'HS512', 'none'),
  typ: usually<unknown>('JWT', 'at+jwt', 'logout+jwt', undefined, 7),
  kid: usually<unknown>('a', 'b', undefined),
  crit: usually<unknown>(undefined, ['b64']),
})
const damage = usually<(token: string) => string>(
  (token) => token,
  (token) => token.slice(0, -1),
  (token) => `${token}.x`,
  (token) => `${token.slice(0, 30)}!${token.slice(30)}`,
  (token) => token.replace(/.{4}$/u, 'AAAA'),
)
const secrets = usually<string | undefined>(undefined, OTHER, 'x'.repeat(40))

const cases = fc.record({ payload: payloads, header: headers, secret: secrets, damage, pad: usually(0, 2000) })
const seen = new Map<string, number>()

for (const entries of configurations) {
  const names = entries.map(({ name }) => name).join(' and ')
  t.test(`the command and the service say the same of every token: ${names}`, async (t) => {
    const env = { ...environment, ...profiles(t, entries), JWT_MAX_BYTES: '1024' }
    const { app, logs } = await build(t, { env })
    await fc.assert(
      fc.asyncProperty(cases, async ({ payload, header, ...how }) => {
        const key = how.secret !== undefined && /^HS/u.test(header.alg) ? how.secret : undefined
        const token = how.damage(mint(claims({ ...payload, pad: 'x'.repeat(how.pad) }), header, key))
        const { statusCode } = await app.inject({
          url: '/v1/policies',
          headers: { authorization: `Bearer ${token}` },
        })
        const refused = logs.lines().findLast(({ msg }) => msg === 'refused')
        const answer = statusCode === 401 ? 'refused' : 'unavailable'
        const want = statusCode === 200 ? 'accepted' : `${answer} ${String(refused?.reason)}`
        const { report, out, exitCode } = await inspectReport(token, env)
        t.equal(report.reason === undefined ? report.verdict : `${report.verdict} ${report.reason}`, want, out)
        t.equal(exitCode, statusCode === 200 ? 0 : 1)
        // A refusal is explained by a cross at this very reason, and an accepted token has none.
        const crosses = report.checks.filter(({ passed }) => passed === false).map(({ reason }) => reason)
        t.ok(statusCode === 200 ? crosses.length === 0 : crosses.includes(report.reason), `${want}: ${crosses}\n${out}`)
        seen.set(want, (seen.get(want) ?? 0) + 1)
      }),
      { numRuns: 60 },
    )
  })
}

t.test('the tokens are good and bad in many ways', async (t) => {
  t.comment([...seen].map(([want, times]) => `${times} ${want}`).join(', '))
  t.ok((seen.get('accepted') ?? 0) > 3)
  t.ok(seen.size > 6)
})
