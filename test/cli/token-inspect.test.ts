import t from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import { REFUSALS, type Reason } from '../../src/identity/refusals.ts'
import { environment } from '../helpers/build.ts'
import { run } from '../helpers/cli.ts'
import { inspect, inspectReport } from '../helpers/inspect.ts'
import { jwk } from '../helpers/key-servers.ts'
import { listen } from '../helpers/listen.ts'
import { profiles } from '../helpers/profiles.ts'
import { AUDIENCE, claims, ISSUER, keys, mint } from '../helpers/tokens.ts'

const { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET } = environment
/** All that the command needs: no key of JD Cloud among it. */
const SINGLE: Environment = { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET }
const SECONDS = Math.floor(Date.now() / 1000)
const AZURE = {
  name: 'azure',
  issuer: 'https://login.test/{tid}/v2.0',
  tenants: ['one'],
  audience: AUDIENCE,
  secret: keys.hmac,
}
const SET = { name: 'set', issuer: ISSUER, audience: AUDIENCE, jwksFile: 'set.json' }

type Row = Readonly<{
  name: string
  reason: Reason
  token: string
  /** The check with the cross, and a setting that it names. */
  check: string
  setting?: string
  env?: Environment
  entries?: readonly (Readonly<{ name: string }> & Readonly<Record<string, unknown>>)[]
  why?: RegExp
}>

const rows: Row[] = [
  {
    name: 'longer than the limit',
    reason: 'too_long',
    token: mint(claims({ roles: 'x'.repeat(2000) })),
    env: { JWT_MAX_BYTES: '1024' },
    check: 'length',
    setting: 'JWT_MAX_BYTES',
  },
  { name: 'no JWT', reason: 'malformed', token: 'opaque', check: 'form', why: /opaque/u },
  {
    name: 'a slash at the end',
    reason: 'issuer',
    token: mint(claims({ iss: `${ISSUER}/` })),
    check: 'issuer',
    setting: 'JWT_ISSUER',
    why: /the token has a slash at its end/u,
  },
  {
    name: 'a stranger among several',
    reason: 'issuer',
    token: mint(claims({ iss: 'https://else.where' })),
    entries: [AZURE, { ...SET, issuer: 'https://third.test' }],
    check: 'issuer',
    setting: 'JWT_ISSUERS_FILE',
  },
  {
    name: 'another tenant by iss',
    reason: 'issuer',
    token: mint(claims({ iss: 'https://login.test/two/v2.0', tid: 'two' })),
    entries: [AZURE],
    check: 'issuer',
    setting: 'issuer of azure in JWT_ISSUERS_FILE',
    why: /tenant that is not in the list/u,
  },
  {
    name: 'another tenant by tid',
    reason: 'tenant',
    token: mint(claims({ iss: 'https://login.test/one/v2.0', tid: 'two' })),
    entries: [AZURE],
    check: 'tenant',
    setting: 'tenants of azure in JWT_ISSUERS_FILE',
  },
  {
    name: 'another algorithm',
    reason: 'algorithm',
    token: mint(claims(), { alg: 'HS512' }),
    check: 'algorithm',
    setting: 'JWT_ALGORITHMS',
  },
  {
    name: 'a refresh token',
    reason: 'type',
    token: mint(claims({ typ: 'Refresh' })),
    check: 'type',
    setting: 'JWT_ALLOWED_TYPES',
  },
  {
    name: 'another app',
    reason: 'audience',
    token: mint(claims({ aud: 'x' })),
    check: 'audience',
    setting: 'JWT_AUDIENCE',
  },
  {
    name: 'no audience',
    reason: 'audience',
    token: mint(claims({ aud: undefined })),
    check: 'audience',
    setting: 'JWT_AUDIENCE_CLAIM',
    why: /no claim aud/u,
  },
  {
    name: 'no subject',
    reason: 'subject',
    token: mint(claims({ sub: undefined })),
    check: 'subject',
    setting: 'JWT_SUBJECT_CLAIM',
  },
  {
    name: 'a number as subject',
    reason: 'subject',
    token: mint(claims({ sub: 7 })),
    check: 'subject',
    setting: 'JWT_SUBJECT_TYPE',
  },
  {
    name: 'a kid that the set lacks',
    reason: 'key',
    token: mint(claims(), { alg: 'RS256', kid: 'b' }),
    entries: [SET],
    check: 'signature',
    setting: 'jwksFile of set in JWT_ISSUERS_FILE',
    why: /no key of the set has the kid "b"/u,
  },
  {
    name: 'a kid for another alg',
    reason: 'key',
    token: mint(claims(), { alg: 'ES256', kid: 'a' }),
    entries: [SET],
    check: 'signature',
    setting: 'jwksFile of set in JWT_ISSUERS_FILE',
    why: /"a" is there, but for RS256/u,
  },
  {
    name: 'forged',
    reason: 'signature',
    token: mint(claims(), {}, 'x'.repeat(32)),
    check: 'signature',
    setting: 'JWT_SECRET_ENCODING',
  },
  { name: 'no exp', reason: 'date', token: mint(claims({ exp: undefined })), check: 'expiry' },
  {
    name: 'expired',
    reason: 'expired',
    token: mint(claims({ exp: SECONDS - 60 })),
    check: 'expiry',
    setting: 'JWT_CLOCK_TOLERANCE_SECONDS',
  },
  {
    name: 'not yet valid',
    reason: 'not_yet_valid',
    token: mint(claims({ nbf: SECONDS + 600 })),
    check: 'not before',
    setting: 'JWT_CLOCK_TOLERANCE_SECONDS',
  },
  {
    name: 'issued in the future',
    reason: 'issued_in_future',
    token: mint(claims({ iat: SECONDS + 600 })),
    check: 'issued at',
    setting: 'JWT_CLOCK_TOLERANCE_SECONDS',
  },
  {
    name: 'too old',
    reason: 'too_old',
    token: mint(claims({ iat: SECONDS - 600 })),
    env: { JWT_MAX_TOKEN_AGE_SECONDS: '60' },
    check: 'age',
    setting: 'JWT_MAX_TOKEN_AGE_SECONDS',
  },
]

for (const { name, reason, token, check, setting, env, entries, why } of rows) {
  t.test(`${reason}: ${name}`, async (t) => {
    const issuers = entries ? profiles(t, entries) : SINGLE
    const { exitCode, report } = await inspectReport(`Bearer ${token}\r\n`, { ...issuers, ...env })
    t.equal(exitCode, 1)
    t.match(report, { verdict: 'refused', reason })
    const crosses = report.checks.filter(({ passed }) => passed === false)
    const cross = crosses.find((one) => one.reason === reason)
    t.equal(cross?.name, check)
    if (setting !== undefined) t.ok(cross?.settings?.includes(setting), `${cross?.settings}`)
    if (why) t.match(cross?.why, why)
    const shown = await inspect(token, { ...issuers, ...env })
    t.match(shown.out, `✗ ${check}`)
    t.ok(setting === undefined || shown.out.includes(setting))
  })
}

t.test('the table has a row for each reason of a 401', async (t) => {
  const wanted = Object.keys(REFUSALS).filter((reason) => reason !== 'keys' && reason !== 'unknown_key')
  t.strictSame(new Set(rows.map(({ reason }) => reason)), new Set(wanted))
})

t.test('a good token, its caller and its templates', async (t) => {
  const token = mint(claims({ sub: 'team/alice', scope: 'oss.upload' }))
  const { exitCode, report, out, err } = await inspectReport(token, SINGLE, { dir: 'policies' })
  t.equal(exitCode, 0)
  t.equal(err, '')
  t.ok(report.checks.every(({ passed }) => passed))
  t.match(report, { verdict: 'accepted', issuer: { name: 'app', matched: true }, caller: { subject: 'team/alice' } })
  const answers = report.templates?.answers ?? []
  t.match(
    answers.find(({ name }) => name === 'user-upload'),
    { allowed: false, why: /claim "sub" must be/u, remedy: /\$\{jwt:sub\|hash\}/u },
  )
  t.match(
    answers.find(({ name }) => name === 'shared-download'),
    { allowed: false, why: /claim "scope"/u },
  )
  t.notMatch(out, token.split('.')[2])
})

t.test('values of the token are JSON, and the words of the command have no quotes', async (t) => {
  const exp = SECONDS + 600
  const good = await inspect(mint(claims({ exp, iat: undefined })), SINGLE)
  t.match(good.out, `✓ expiry     ${exp} (${new Date(exp * 1000).toISOString()})\n`)
  t.match(good.out, '✓ issued at  none in the token\n')
  t.match(good.out, '✓ age        any, as no greatest age is set\n')
  const text = await inspect(mint(claims({ exp: `${exp}` })), SINGLE)
  t.match(text.out, `found:  "${exp}"\n`, 'a date that is a text')
  t.match(text.out, '– signature  not checked: the token has no exp that is a number\n')
  t.match((await inspect(mint(claims({ sub: undefined })), SINGLE)).out, 'found:  missing\n')
  t.match((await inspect(mint(claims({ sub: ['missing'] })), SINGLE)).out, 'found:  ["missing"]\n')
})

t.test('the subject is as the service sees it', async (t) => {
  const env = { ...SINGLE, JWT_SUBJECT_CLAIM: 'user.id', JWT_SUBJECT_TYPE: 'integer' }
  const { report } = await inspectReport(mint(claims({ user: { id: 42 } })), env)
  t.match(report, { verdict: 'accepted', caller: { issuer: 'app', subject: '42' } })
})

t.test('--at judges at another time', async (t) => {
  const token = mint(claims({ exp: SECONDS - 60 }))
  t.equal((await inspectReport(token, SINGLE)).report.reason, 'expired')
  t.equal((await inspectReport(token, SINGLE, { at: (SECONDS - 120) * 1000 })).exitCode, 0)
  const { exitCode } = await run(['token', 'inspect', '--at', '2030-01-31'], { env: SINGLE, input: token })
  t.equal(exitCode, 2, 'a date without a time is refused')
})

t.test('a fetched key set', async (t) => {
  let answers = Number.POSITIVE_INFINITY
  const asked: string[] = []
  const url = await listen(t, (request, response) => {
    asked.push(request.url ?? '')
    if (answers-- > 0) response.end(JSON.stringify({ keys: [jwk('a'), { kty: 'oct', kid: 'weak' }] }))
    else response.socket?.destroy()
  })
  const env = { JWT_ISSUER, JWT_AUDIENCE, JWT_JWKS_URL: `${url}/jwks?key=SENTINEL-query` }
  const token = mint(claims(), { alg: 'RS256', kid: 'a' })

  const good = await inspectReport(token, env)
  t.equal(good.exitCode, 0)
  t.equal(good.err, `Fetching the keys of issuer app: a key of ${url}/jwks\n`, 'a call is announced')
  t.match(good.report.notes, ['entry 2 of the key set (kid weak) is not used: symmetric'])
  t.notMatch(good.out + good.err, /SENTINEL/u)

  asked.length = 0
  const offline = await inspectReport(token, env, { fetch: false })
  t.match(offline, { exitCode: 1, err: '', report: { verdict: 'undecided' } })
  t.equal(offline.report.reason, undefined)
  await inspectReport(mint(claims({ aud: 'x' }), { alg: 'RS256', kid: 'a' }), env)
  t.strictSame(asked, [], 'a token that is refused anyway causes no fetch')

  const foreign = await inspectReport(mint(claims(), { alg: 'RS256', kid: 'b' }), env)
  t.equal(foreign.report.reason, 'key')
  t.match(foreign.report.checks.at(-1)?.why, /kid "b"/u)

  answers = 1
  const forged = await inspectReport(`${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(342)}`, env)
  t.match(forged.report, { verdict: 'refused', reason: 'signature' })

  answers = 0
  const dead = await inspectReport(token, env)
  t.match(dead, { exitCode: 1, report: { verdict: 'unavailable', reason: 'keys' } })
  t.match(dead.report.checks.at(-1), { passed: undefined, why: /no connection to the key server/u })
})

t.test('a configuration that cannot be used exits with 78, and other settings are not needed', async (t) => {
  const input = mint(claims())
  const bad = await run(['token', 'inspect'], { env: { JWT_AUDIENCE, JWT_SECRET }, input })
  t.equal(bad.exitCode, 78)
  t.match(bad.err, /JWT_ISSUER: is required/u)
  const misspelt = await run(['token', 'inspect'], { env: { ...SINGLE, JWT_AUDIENC: 'x' }, input })
  t.match(misspelt.err, /did you mean JWT_AUDIENCE\?/u)
  const others = { PORT: 'x', JDCLOUD_STS_ENDPOINT: 'x', CACHE_MAX_MB: 'x', JDCLOUD_SECRET_KEY_FILE: '/nowhere' }
  t.equal((await run(['token', 'inspect'], { env: { ...SINGLE, ...others }, input })).exitCode, 0)
})

t.test('settings of templates that are wrong do not hide what is wrong with the token', async (t) => {
  const { report } = await inspectReport(mint(claims({ aud: 'x' })), { ...SINGLE, OSS_BUCKET: 'NOT A BUCKET' })
  t.match(report, { reason: 'audience', notes: [/templates were not read: OSS_BUCKET must be a bucket name/u] })
  t.equal(report.templates, undefined)
})

t.test('marks of an ID token are told', async (t) => {
  const { report } = await inspectReport(mint(claims({ aud: 'client', nonce: 'n', at_hash: 'h' })), SINGLE)
  t.match(report, { reason: 'audience', notes: [/nonce and at_hash, as ID tokens have/u] })
})

t.test('a session that must end with its token', async (t) => {
  const env = { ...SINGLE, SESSION_BOUND_TO_TOKEN: 'true' }
  const { report } = await inspectReport(mint(claims({ exp: SECONDS + 600 })), env, { dir: 'policies' })
  t.match(
    report.templates?.answers.find(({ name }) => name === 'user-upload'),
    { allowed: false, why: /claim "exp" is too near/u },
  )
})

t.test('the token comes from a file, too', async (t) => {
  const dir = t.testdir({ token: `Authorization: bearer ${mint(claims())}\n` })
  t.equal((await run(['token', 'inspect', '--file', `${dir}/token`], { env: SINGLE })).exitCode, 0)
  const missing = await run(['token', 'inspect', '--file', `${dir}/none`], { env: SINGLE })
  t.match(missing, { exitCode: 2, err: /The file cannot be read: ENOENT/u })
})
