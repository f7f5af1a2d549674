import { createSecretKey } from 'node:crypto'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config/config.ts'
import type { Environment } from '../../src/config/environment.ts'
import { build, environment } from '../helpers/build.ts'
import { issuersFile } from '../helpers/config-faults.ts'
import { AUDIENCE, claims, keys, mint, pem } from '../helpers/tokens.ts'

const one = { name: 'web', issuer: 'https://web.test', audience: AUDIENCE }
const read = (t: Test, entry: object) =>
  readConfig({ ...environment, ...issuersFile(t, [{ ...one, ...entry }]) }).issuers[0]

t.test('a pattern stands for the iss of each tenant, and nothing else', async (t) => {
  const issuer = read(t, {
    issuer: ['https://login.test/{tid}/v2.0', 'https://sts.test/{tid}/', 'https://web.test'],
    tenants: ['a-1', 'b.test', 'c'],
    subject: 'oid',
  })
  t.strictSame(issuer?.issuer, [
    { iss: 'https://login.test/a-1/v2.0', tenant: 'a-1' },
    { iss: 'https://login.test/b.test/v2.0', tenant: 'b.test' },
    { iss: 'https://login.test/c/v2.0', tenant: 'c' },
    { iss: 'https://sts.test/a-1/', tenant: 'a-1' },
    { iss: 'https://sts.test/b.test/', tenant: 'b.test' },
    { iss: 'https://sts.test/c/', tenant: 'c' },
    { iss: 'https://web.test' },
  ])
  t.match(
    issuer?.keys,
    [{ origin: { kind: 'discovery', issuer: 'https://login.test/a-1/v2.0' } }],
    'the first is asked',
  )
})

t.test('the algorithms of two sources never meet', async (t) => {
  const algorithmsOf = (entry: object) =>
    read(t, entry)?.keys.map(({ origin, algorithms }) => [origin.kind, ...algorithms])
  const secret = { secret: keys.hmac }
  const rows = [
    {
      entry: { ...secret, jwksUrl: 'https://k.test' },
      want: [
        ['secret', 'HS256'],
        ['jwks', 'RS256', 'ES256'],
      ],
    },
    {
      entry: { ...secret, jwksFile: 'set.json' },
      want: [
        ['secret', 'HS256'],
        ['jwks-file', 'RS256', 'ES256'],
      ],
    },
    {
      entry: { ...secret, publicKeyFile: 'key.pem' },
      want: [
        ['secret', 'HS256'],
        ['public-key', 'RS256'],
      ],
    },
    {
      entry: { ...secret, jwksUrl: 'https://k.test', algorithms: ['ES384', 'HS512', 'HS256', 'EdDSA'] },
      want: [
        ['secret', 'HS512', 'HS256'],
        ['jwks', 'ES384', 'EdDSA'],
      ],
    },
  ]
  for (const { entry, want } of rows) t.strictSame(algorithmsOf(entry), want)
})

t.test('what a home-grown or a Cognito deployment sets in variables', async (t) => {
  const bytes = Buffer.from('9f1c5a0de27b48836e0f71b2c4d5a6978b3e2d1c0fa95b8e7d6c4f3a2b190817', 'hex')
  const { iss, aud, sub, ...nameless } = claims()
  const rows: { name: string; env: Environment; token: string; want: string }[] = [
    {
      name: 'no iss, no aud, a number, a secret in base64',
      env: {
        JWT_ISSUER: 'none',
        JWT_AUDIENCE: 'none',
        JWT_SUBJECT_CLAIM: 'user.id',
        JWT_SUBJECT_TYPE: 'integer',
        JWT_SECRET: bytes.toString('base64'),
        JWT_SECRET_ENCODING: 'base64',
      },
      token: mint({ ...nameless, user: { id: 4711 } }, {}, createSecretKey(bytes)),
      want: 'users/4711/',
    },
    {
      name: 'a public key, and no audience',
      env: { JWT_AUDIENCE: 'none', JWT_SECRET: '', JWT_PUBLIC_KEY: pem(keys.p256.publicKey) },
      token: mint(claims({ aud: 'whatever' }), { alg: 'ES256' }),
      want: 'users/alice/',
    },
    {
      name: 'an access token of Cognito',
      env: { JWT_AUDIENCE: '1h57kf5cpq17m0eml12EXAMPLE', JWT_AUDIENCE_CLAIM: 'client_id' },
      token: mint(claims({ aud: undefined, client_id: '1h57kf5cpq17m0eml12EXAMPLE', token_use: 'access' })),
      want: 'users/alice/',
    },
  ]
  for (const { name, env, token, want } of rows) {
    t.test(name, async (t) => {
      const { app } = await build(t, { env })
      const headers = { authorization: `Bearer ${token}` }
      const payload = { policy: 'user-upload' }
      const answer = await app.inject({ method: 'POST', url: '/v1/credentials', headers, payload })
      t.strictSame(answer.json().oss?.prefixes, [want])
    })
  }
})
