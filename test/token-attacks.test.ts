import { createHmac } from 'node:crypto'
import t from 'tap'
import type { App } from '../src/http/fastify.ts'
import { systemClock } from '../src/lib/clock.ts'
import { build, environment, withTokenCacheOnAndOff } from './helpers/build.ts'
import { listen } from './helpers/listen.ts'
import { AUDIENCE, claims, ISSUER, keys, mint, pem } from './helpers/tokens.ts'

const test = withTokenCacheOnAndOff(t)

const now = () => Math.floor(Date.now() / 1000)
const without = (name: string) => Object.fromEntries(Object.entries(claims()).filter(([claim]) => claim !== name))

async function present(app: App, authorization: string | string[]) {
  const headers = { authorization: authorization as string }
  const response = await app.inject({
    method: 'POST',
    url: '/v1/credentials',
    headers,
    payload: { policy: 'user-upload' },
  })
  const { requestId, ...body } = response.json()
  return { status: response.statusCode, body, challenge: response.headers['www-authenticate'] }
}

const REFUSED = {
  status: 401,
  body: {
    type: 'urn:oss-vend:problem:unauthenticated',
    title: 'A valid bearer token is required',
    status: 401,
    code: 'unauthenticated',
  },
  challenge: 'Bearer error="invalid_token"',
}

const jwk = (kid: string) => ({ ...keys.rsa.publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' })

/** An app whose issuer publishes one RSA key as `known`; the attacker's server counts who asks it for keys. */
async function rsaApp(t: Parameters<typeof build>[0]) {
  const visits: string[] = []
  const keyServer = await listen(t, (_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk('known')] }))
  })
  const attacker = await listen(t, (request, response) => {
    visits.push(request.url ?? '')
    response.end(JSON.stringify({ keys: [jwk('evil')] }))
  })
  const clock = { now: 0 }
  const built = await build(t, {
    env: { JWT_SECRET: '', JWT_JWKS_URL: `${keyServer}/jwks`, JWT_ALGORITHMS: 'RS256' },
    dependencies: { clock: { ...systemClock(), monotonic: () => clock.now } },
  })
  /** Lets the budget allow one more fetch on behalf of tokens. */
  const allowFetch = () => {
    clock.now += 10_000
  }
  return { ...built, visits, attacker, allowFetch }
}

test('a good token of each algorithm passes', async (t) => {
  const rows = [
    ...['HS256', 'HS384', 'HS512'].map((alg) => ({ alg, env: { JWT_SECRET: keys.hmac } })),
    ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => ({
      alg,
      env: { JWT_PUBLIC_KEY: pem(keys.rsa.publicKey) },
    })),
    { alg: 'ES256', env: { JWT_PUBLIC_KEY: pem(keys.p256.publicKey) } },
    { alg: 'ES384', env: { JWT_PUBLIC_KEY: pem(keys.p384.publicKey) } },
    { alg: 'ES512', env: { JWT_PUBLIC_KEY: pem(keys.p521.publicKey) } },
    { alg: 'EdDSA', env: { JWT_PUBLIC_KEY: pem(keys.ed25519.publicKey) } },
  ]
  for (const { alg, env } of rows) {
    t.test(alg, async (t) => {
      const { app } = await build(t, { env: { JWT_SECRET: '', ...env, JWT_ALGORITHMS: alg } })
      t.equal((await present(app, `Bearer ${mint(claims(), { alg })}`)).status, 200)
      t.equal((await present(app, `bearer ${mint(claims({ aud: ['other', AUDIENCE] }), { alg })}`)).status, 200)
    })
  }
  t.test("RS256 by the issuer's key set", async (t) => {
    const { app } = await rsaApp(t)
    t.equal((await present(app, `Bearer ${mint(claims(), { alg: 'RS256', kid: 'known' })}`)).status, 200)
  })
})

test('every attack gets the same refusal', async (t) => {
  const { app, asked } = await build(t)
  const good = mint(claims())
  const [head = '', body = '', signature = ''] = good.split('.')
  const rows: { name: string; authorization: string | string[] }[] = [
    { name: 'alg none', authorization: `Bearer ${mint(claims(), { alg: 'none' })}` },
    { name: 'alg none with a signature', authorization: `Bearer ${mint(claims(), { alg: 'none' })}${signature}` },
    { name: 'alg nOnE', authorization: `Bearer ${Buffer.from('{"alg":"nOnE"}').toString('base64url')}.${body}.` },
    { name: 'no signature', authorization: `Bearer ${head}.${body}.` },
    { name: 'another algorithm of the family', authorization: `Bearer ${mint(claims(), { alg: 'HS512' })}` },
    {
      name: 'wrong secret',
      authorization: `Bearer ${mint(claims(), {}, 'another-fixture-secret-of-thirty-two-bytes')}`,
    },
    { name: 'wrong issuer', authorization: `Bearer ${mint(claims({ iss: `${ISSUER}.evil.test` }))}` },
    { name: 'issuer as a prefix', authorization: `Bearer ${mint(claims({ iss: ISSUER.slice(0, -1) }))}` },
    { name: 'issuer in a list', authorization: `Bearer ${mint(claims({ iss: [ISSUER] }))}` },
    { name: 'issuer missing', authorization: `Bearer ${mint(without('iss'))}` },
    { name: 'wrong audience', authorization: `Bearer ${mint(claims({ aud: 'https://other.test' }))}` },
    { name: 'audience as a prefix', authorization: `Bearer ${mint(claims({ aud: `${AUDIENCE}.evil.test` }))}` },
    { name: 'audience cut short', authorization: `Bearer ${mint(claims({ aud: AUDIENCE.slice(0, -1) }))}` },
    { name: 'audience as an object', authorization: `Bearer ${mint(claims({ aud: { 0: AUDIENCE } }))}` },
    { name: 'audience missing', authorization: `Bearer ${mint(without('aud'))}` },
    { name: 'audience empty', authorization: `Bearer ${mint(claims({ aud: [] }))}` },
    { name: 'exp missing', authorization: `Bearer ${mint(without('exp'))}` },
    { name: 'exp null', authorization: `Bearer ${mint(claims({ exp: null }))}` },
    { name: 'exp as a string', authorization: `Bearer ${mint(claims({ exp: String(now() + 600) }))}` },
    {
      name: 'exp beyond numbers',
      authorization: `Bearer ${mint(JSON.stringify(claims()).replace(/"exp":\d+/u, '"exp":-1e999'))}`,
    },
    { name: 'expired', authorization: `Bearer ${mint(claims({ exp: now() - 60 }))}` },
    { name: 'not yet valid', authorization: `Bearer ${mint(claims({ nbf: now() + 60 }))}` },
    { name: 'nbf as a string', authorization: `Bearer ${mint(claims({ nbf: '0' }))}` },
    { name: 'sub missing', authorization: `Bearer ${mint(without('sub'))}` },
    { name: 'sub empty', authorization: `Bearer ${mint(claims({ sub: '' }))}` },
    { name: 'sub a number', authorization: `Bearer ${mint(claims({ sub: 7 }))}` },
    { name: 'sub a list', authorization: `Bearer ${mint(claims({ sub: ['alice'] }))}` },
    { name: 'crit with a known header', authorization: `Bearer ${mint(claims(), { crit: ['alg'] })}` },
    { name: 'crit with an extension', authorization: `Bearer ${mint(claims(), { crit: ['b64'], b64: false })}` },
    { name: 'crit empty', authorization: `Bearer ${mint(claims(), { crit: [] })}` },
    { name: 'crit null', authorization: `Bearer ${mint(claims(), { crit: null })}` },
    {
      name: 'a claim twice',
      authorization: `Bearer ${mint(JSON.stringify(claims()).replace('"sub":"alice"', '"sub":"alice","sub":"bob"'))}`,
    },
    {
      name: 'a claim twice, once escaped',
      authorization: `Bearer ${mint(JSON.stringify(claims()).replace('"sub":"alice"', '"sub":"alice","s\\u0075b":"bob"'))}`,
    },
    {
      name: 'a nested claim twice',
      authorization: `Bearer ${mint(JSON.stringify(claims()).replace('"sub"', '"a":{"b":1,"b":2},"sub"'))}`,
    },
    { name: 'a payload that is a list', authorization: `Bearer ${mint('[]')}` },
    { name: 'a payload that is not JSON', authorization: `Bearer ${mint('{')}` },
    { name: 'a payload with a BOM', authorization: `Bearer ${mint(`\uFEFF${JSON.stringify(claims())}`)}` },
    { name: 'two tokens', authorization: `Bearer ${good}, Bearer ${good}` },
    { name: 'two tokens with a space', authorization: `Bearer ${good} ${good}` },
    { name: 'two headers', authorization: [`Bearer ${good}`, `Bearer ${good}`] },
    { name: 'another scheme', authorization: `Basic ${Buffer.from('alice:x').toString('base64')}` },
    { name: 'a token of 17 KiB', authorization: `Bearer ${mint(claims({ padding: 'x'.repeat(12_700) }))}` },
    { name: 'five parts', authorization: `Bearer ${good}.${head}.${body}` },
    { name: 'white space inside', authorization: `Bearer ${head}. ${body}.${signature}` },
    { name: 'padding', authorization: `Bearer ${good}=` },
    {
      name: 'standard base64',
      authorization: `Bearer ${head}.${body}.${createHmac('sha256', keys.hmac).update(`${head}.${body}`).digest('base64')}`,
    },
    { name: 'nothing', authorization: 'Bearer ' },
    { name: 'dots', authorization: 'Bearer ..' },
  ]
  // So that whatever a row has of it, is of a token that is known to be good.
  await app.inject({ url: '/v1/policies', headers: { authorization: `Bearer ${good}` } })
  for (const { name, authorization } of rows) {
    t.test(name, async (t) => {
      t.strictSame(await present(app, authorization), REFUSED)
      t.strictSame(await present(app, authorization), REFUSED, 'again')
    })
  }
  t.test('none at all is not called invalid', async (t) => {
    const response = await app.inject({ method: 'POST', url: '/v1/credentials', payload: { policy: 'user-upload' } })
    t.equal(response.statusCode, 401)
    t.equal(response.headers['www-authenticate'], 'Bearer')
  })
  t.test('and STS is never asked', async (t) => t.strictSame(asked, []))
})

test('a token with any one bit flipped is refused', async (t) => {
  const { app } = await build(t)
  const token = Buffer.from(mint(claims({ sub: 'al' })))
  const accepted: string[] = []
  for (let bit = 0; bit < token.length * 8; bit++) {
    const flipped = Buffer.from(token)
    flipped.writeUInt8((flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7)), bit >> 3)
    const text = flipped.toString('latin1')
    // Node's own parser keeps control characters out of headers, so such a token cannot arrive at all.
    if (/[^\t\x20-\x7e\x80-\xff]/u.test(text)) continue
    const { status } = await present(app, `Bearer ${text}`)
    if (status !== 401) accepted.push(`bit ${bit}: ${status}`)
  }
  t.strictSame(accepted, [])
  t.equal((await present(app, `Bearer ${token}`)).status, 200, 'and the token itself is good')
})

test('keys are only ever looked up at the issuer', async (t) => {
  const { app, visits, attacker, allowFetch } = await rsaApp(t)
  await app.ready()
  const evil = { alg: 'RS256', kid: 'evil' }
  const rows = [
    {
      name: 'HS256 signed with the RSA public key',
      token: mint(claims(), { alg: 'HS256', kid: 'known' }, pem(keys.rsa.publicKey)),
    },
    { name: 'unknown kid', token: mint(claims(), evil) },
    { name: 'no kid and a foreign key', token: mint(claims(), { alg: 'RS256' }, keys.p256.privateKey) },
    { name: 'jku', token: mint(claims(), { ...evil, jku: `${attacker}/jku` }) },
    { name: 'x5u', token: mint(claims(), { ...evil, x5u: `${attacker}/x5u` }) },
    { name: 'jwk', token: mint(claims(), { ...evil, jwk: jwk('evil') }) },
    { name: 'x5c', token: mint(claims(), { ...evil, x5c: ['MIIB'] }) },
    { name: 'kid as a path', token: mint(claims(), { alg: 'RS256', kid: '../../../../dev/null' }) },
    { name: 'kid as a number', token: mint(claims(), { alg: 'RS256', kid: 7 }) },
    { name: 'kid as a URL', token: mint(claims(), { alg: 'RS256', kid: `${attacker}/kid` }) },
  ]
  for (const { name, token } of rows) {
    t.test(name, async (t) => {
      allowFetch()
      t.strictSame(await present(app, `Bearer ${token}`), REFUSED)
    })
  }
  t.test('nobody visited the attacker', async (t) => t.strictSame(visits, []))
})

test('an HMAC issuer and an RSA issuer side by side do not lend each other keys or algorithms', async (t) => {
  const dir = t.testdir({
    'issuers.yaml': JSON.stringify([
      { name: 'web', issuer: 'https://web.test', audience: AUDIENCE, secret: keys.hmac },
      { name: 'app', issuer: 'https://app.test', audience: AUDIENCE, publicKey: pem(keys.rsa.publicKey) },
    ]),
    policies: {
      'mine.yaml':
        'description: d\nallow: {issuer: [web, app]}\npolicy: {Version: "3", Statement: [{Effect: Allow, Action: oss:PutObject, Resource: "jrn:oss:*:${account}:${bucket}/${issuer}/${jwt:sub}/*"}]}',
    },
  })
  const single = { JWT_ISSUER: '', JWT_AUDIENCE: '', JWT_SECRET: '' }
  const { app } = await build(t, {
    env: { ...environment, ...single, JWT_ISSUERS_FILE: `${dir}/issuers.yaml`, POLICIES_DIR: `${dir}/policies` },
  })
  const vend = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    const response = await app.inject({ method: 'POST', url: '/v1/credentials', headers, payload: { policy: 'mine' } })
    return response.statusCode === 200 ? response.json().grant.resources : response.statusCode
  }
  const at = (issuer: string) => [`jrn:oss:*:111111111111:test-app/${issuer}/alice/*`]
  t.strictSame(await vend(mint(claims({ iss: 'https://web.test' }))), at('web'))
  t.strictSame(await vend(mint(claims({ iss: 'https://app.test' }), { alg: 'RS256' })), at('app'))
  t.equal(await vend(mint(claims({ iss: 'https://app.test' }))), 401, 'the web secret does not sign for app')
  t.equal(await vend(mint(claims({ iss: 'https://app.test' }), {}, pem(keys.rsa.publicKey))), 401)
  t.equal(await vend(mint(claims({ iss: 'https://web.test' }), { alg: 'RS256' })), 401)
})
