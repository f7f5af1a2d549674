import t from 'tap'
import { build, type Overrides, withTokenCacheOnAndOff } from '../helpers/build.ts'
import { manualClock } from '../helpers/clock.ts'
import { issuersFile } from '../helpers/config-faults.ts'
import { AUDIENCE, claims, ISSUER, keys, mint } from '../helpers/tokens.ts'

const test = withTokenCacheOnAndOff(t)

const clock = manualClock()
const NOW = clock.now() / 1000
const GOOD = { iat: NOW - 60, exp: NOW + 600 }
const clocks = { dependencies: { clock } }

/** What is answered, and the one word that the log has for it. */
async function asker(t: Parameters<typeof build>[0], overrides: Overrides = {}) {
  const { app, logs } = await build(t, { ...clocks, ...overrides })
  return async (token: string) => {
    const response = await app.inject({ url: '/v1/policies', headers: { authorization: `Bearer ${token}` } })
    const { statusCode: status, headers } = response
    if (status === 200) return 'accepted'
    const { code, detail } = response.json()
    const wire = { status, code, detail, challenge: headers['www-authenticate'] }
    const reason = logs.lines().findLast(({ msg }) => msg === 'refused')?.reason
    return { wire, reason }
  }
}

const REFUSED = {
  status: 401,
  code: 'unauthenticated',
  detail: undefined,
  challenge: 'Bearer error="invalid_token"',
}
const refused = (reason: string) => ({ wire: REFUSED, reason })
/** A payload with numbers that JSON.stringify would not write. */
const raw = (dates: string) => JSON.stringify(claims({ exp: undefined, iat: undefined })).replace(/\}$/u, `,${dates}}`)

test('types of tokens', async (t) => {
  const ask = await asker(t)
  const accepted = [
    undefined,
    'JWT',
    'jwt',
    'at+jwt',
    'AT+JWT',
    'application/at+jwt',
    'application/JWT',
    'Application/jwt',
  ]
  const other = [
    'logout+jwt',
    'LOGOUT+JWT',
    'application/logout+jwt',
    'secevent+jwt',
    'dpop+jwt',
    'dpop',
    'openid-client-registration+jwt',
    'client-authentication+jwt',
    'entity-statement+jwt',
    'oauth-authz-req+jwt',
    'token-introspection+jwt',
    'kb+jwt',
    'vc+jwt',
    'vp+jwt',
    'dc+sd-jwt',
    'passport',
    'JOSE',
    'JWT ',
    ' JWT',
    'JWT\0',
    'text/jwt',
    'application/application/jwt',
    'application/x/jwt',
    'absent',
    '',
    null,
    true,
    1,
    ['JWT'],
    { JWT: true },
  ]
  for (const typ of accepted) {
    t.test(`accepted: ${typ}`, async (t) => t.equal(await ask(mint(claims(GOOD), { typ })), 'accepted'))
  }
  for (const typ of other) {
    t.test(`refused: ${JSON.stringify(typ)}`, async (t) =>
      t.strictSame(await ask(mint(claims(GOOD), { typ })), refused('type')),
    )
  }
})

test('claims that say what a token is for', async (t) => {
  const ask = await asker(t)
  const rows = [
    { name: 'Keycloak, access', input: { typ: 'Bearer' }, want: 'accepted' },
    { name: 'Keycloak, refresh', input: { typ: 'Refresh' }, want: refused('type') },
    { name: 'Keycloak, offline', input: { typ: 'Offline' }, want: refused('type') },
    { name: 'Keycloak, ID', input: { typ: 'ID' }, want: refused('type') },
    { name: 'Keycloak, logout', input: { typ: 'Logout' }, want: refused('type') },
    { name: 'Cognito, access', input: { token_use: 'access' }, want: 'accepted' },
    { name: 'Cognito, ID: the only one with an audience', input: { token_use: 'id' }, want: 'accepted' },
    { name: 'Django, access', input: { token_type: 'access' }, want: 'accepted' },
    { name: 'Django, refresh', input: { token_type: 'refresh' }, want: refused('type') },
    { name: 'Flask, access', input: { type: 'access' }, want: 'accepted' },
    { name: 'Flask, refresh', input: { type: 'refresh' }, want: refused('type') },
    { name: 'OAuth, refresh', input: { token_type: 'refresh_token' }, want: refused('type') },
    { name: 'OAuth, access', input: { token_type: 'access_token' }, want: 'accepted' },
    { name: 'OAuth, Bearer', input: { token_type: 'Bearer' }, want: 'accepted' },
    {
      name: 'token exchange, refresh',
      input: { token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      want: refused('type'),
    },
    ...[
      'refreshToken',
      'REFRESH-TOKEN',
      'Refresh Token',
      ' refresh ',
      'refresh+jwt',
      'offline_token',
      'logout_token',
    ].map((type) => ({ name: type, input: { type }, want: refused('type') })),
    { name: 'camel case, refresh', input: { tokenUse: 'refresh' }, want: refused('type') },
    { name: 'camel case of the other, refresh', input: { tokenType: 'refresh_token' }, want: refused('type') },
    {
      name: 'OpenID Connect, logout',
      input: { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
      want: refused('type'),
    },
    {
      name: 'a security event',
      input: { events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': { reason: 'x' } } },
      want: refused('type'),
    },
    { name: 'no event in an object for events', input: { events: {} }, want: refused('type') },
    { name: 'a list of events that an app has', input: { events: ['concert'] }, want: 'accepted' },
    { name: 'no events', input: { events: null }, want: 'accepted' },
    { name: 'a type that is no text', input: { type: ['refresh'] }, want: 'accepted' },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => t.strictSame(await ask(mint(claims({ ...GOOD, ...input }))), want))
  }
})

test('dates of tokens', async (t) => {
  const ask = await asker(t)
  const dates = (changes: Record<string, unknown>) => claims({ ...GOOD, ...changes })
  const rows = [
    { name: 'sane', input: dates({ nbf: NOW - 60 }), want: 'accepted' },
    { name: 'fractions of a second', input: dates({ exp: NOW + 0.5, iat: NOW - 0.5 }), want: 'accepted' },
    { name: 'nbf 0, as Keycloak had it', input: dates({ nbf: 0 }), want: 'accepted' },
    { name: 'no iat', input: dates({ iat: undefined }), want: 'accepted' },
    { name: 'the last second there is', input: dates({ exp: 9_999_999_999 }), want: 'accepted' },
    { name: 'exp within the tolerance', input: dates({ exp: NOW - 4 }), want: 'accepted' },
    { name: 'exp at its end', input: dates({ exp: NOW - 5 }), want: refused('expired') },
    { name: 'exp over', input: dates({ exp: NOW - 6 }), want: refused('expired') },
    { name: 'exp 0', input: dates({ exp: 0 }), want: refused('expired') },
    { name: 'exp in milliseconds', input: dates({ exp: (NOW + 600) * 1000 }), want: refused('date') },
    { name: 'exp after the year 2286', input: dates({ exp: 10_000_000_000 }), want: refused('date') },
    { name: 'exp 1e300', input: raw('"exp":1e300'), want: refused('date') },
    { name: 'exp beyond numbers', input: raw('"exp":1e999'), want: refused('date') },
    { name: 'exp negative', input: dates({ exp: -1 }), want: refused('date') },
    { name: 'exp beyond numbers below', input: raw('"exp":-1e999'), want: refused('date') },
    ...[String(NOW + 600), '2099-01-01T00:00:00Z', null, true, [NOW + 600], {}].map((exp) => ({
      name: `exp ${JSON.stringify(exp)}`,
      input: dates({ exp }),
      want: refused('date'),
    })),
    { name: 'nbf within the tolerance', input: dates({ nbf: NOW + 5 }), want: 'accepted' },
    { name: 'nbf ahead', input: dates({ nbf: NOW + 6 }), want: refused('not_yet_valid') },
    { name: 'nbf in milliseconds', input: dates({ nbf: NOW * 1000 }), want: refused('date') },
    { name: 'nbf text', input: dates({ nbf: String(NOW - 60) }), want: refused('date') },
    { name: 'nbf null', input: dates({ nbf: null }), want: refused('date') },
    { name: 'nbf negative', input: dates({ nbf: -1 }), want: refused('date') },
    { name: 'iat within the tolerance', input: dates({ iat: NOW + 5 }), want: 'accepted' },
    { name: 'iat ahead', input: dates({ iat: NOW + 6 }), want: refused('issued_in_future') },
    { name: 'iat far ahead', input: dates({ iat: NOW + 400_000 }), want: refused('issued_in_future') },
    { name: 'iat in milliseconds', input: dates({ iat: NOW * 1000 }), want: refused('date') },
    { name: 'iat text', input: dates({ iat: 'yesterday' }), want: refused('date') },
    { name: 'iat null', input: dates({ iat: null }), want: refused('date') },
    { name: 'iat list', input: dates({ iat: [NOW] }), want: refused('date') },
    { name: 'iat beyond numbers', input: raw(`"exp":${NOW + 600},"iat":-1e999`), want: refused('date') },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => t.strictSame(await ask(mint(input)), want))
  }
})

test('the clock that counts is the one that the service was given', async (t) => {
  const own = manualClock()
  const ask = await asker(t, { dependencies: { clock: own } })
  const token = mint(claims(GOOD))
  t.equal(await ask(token), 'accepted')
  await own.advance(604_000)
  t.equal(await ask(token), 'accepted', 'the tolerance is not over')
  await own.advance(1000)
  t.strictSame(await ask(token), refused('expired'), 'one that was accepted before is looked at again')
})

test('a forged token tells its forger nothing about dates', async (t) => {
  const ask = await asker(t)
  const forged = mint(claims({ ...GOOD, exp: 1 }), {}, 'another-fixture-secret-of-thirty-two-bytes')
  t.strictSame(await ask(forged), refused('signature'))
})

test('a greatest age, of a single issuer and of one in a file', async (t) => {
  const entry = { name: 'app', issuer: ISSUER, audience: AUDIENCE, secret: keys.hmac }
  const settings = [
    { name: 'variables', env: { JWT_MAX_TOKEN_AGE_SECONDS: '300', JWT_ALLOWED_TYPES: 'at+jwt, ID' } },
    {
      name: 'file',
      env: issuersFile(t, [{ ...entry, maxTokenAgeSeconds: 300, allowedTypes: ['at+jwt', 'ID'] }]),
    },
  ]
  for (const { name, env } of settings) {
    t.test(name, async (t) => {
      const ask = await asker(t, { env })
      const rows = [
        { name: 'young', input: { iat: NOW - 300 }, want: 'accepted' },
        { name: 'within the tolerance', input: { iat: NOW - 305 }, want: 'accepted' },
        { name: 'too old', input: { iat: NOW - 306 }, want: refused('too_old') },
        {
          name: 'too old, however far its end is',
          input: { iat: NOW - 306, exp: 9_999_999_999 },
          want: refused('too_old'),
        },
        { name: 'of unknown age', input: { iat: undefined }, want: refused('too_old') },
        { name: 'of another type', input: {}, header: { typ: 'JWT' }, want: refused('type') },
        { name: 'of no type', input: {}, header: { typ: undefined }, want: refused('type') },
        { name: 'by application/', input: {}, header: { typ: 'application/at+jwt' }, want: 'accepted' },
        { name: 'an ID token, which is named', input: { typ: 'ID' }, want: 'accepted' },
      ]
      for (const { name, input, header = { typ: 'at+jwt' }, want } of rows) {
        t.test(name, async (t) => t.strictSame(await ask(mint(claims({ ...GOOD, ...input }), header)), want))
      }
    })
  }
})
