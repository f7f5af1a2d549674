import t from 'tap'
import type { Issuer } from '../../src/identity/issuer.ts'
import { judge } from '../../src/identity/judge.ts'
import { readToken } from '../../src/identity/token.ts'
import { keys, mint } from '../helpers/tokens.ts'

const NOW = 1_800_000_000
const BASE: Issuer = {
  name: 'azure',
  issuer: [
    { iss: 'https://login.test/one/v2.0', tenant: 'one' },
    { iss: 'https://sts.test/one/', tenant: 'one' },
    { iss: 'https://login.test/two/v2.0', tenant: 'two' },
  ],
  audience: ['api', 'web'],
  audienceClaim: ['aud'],
  subject: { path: ['oid'], type: 'text' },
  clockToleranceSeconds: 5,
  maxTokenAgeSeconds: 3600,
  keys: [{ origin: { kind: 'secret', secret: keys.hmac, encoding: 'utf8' }, algorithms: ['HS256'] }],
}
const GOOD = { iss: 'https://login.test/one/v2.0', tid: 'one', aud: 'api', oid: 'alice', exp: NOW + 600, iat: NOW }

/** The names of the checks that fail, with their fault and the setting behind it. */
function faults(
  claims: object,
  { issuer = {}, header = {} }: { issuer?: Partial<Issuer>; header?: Record<string, unknown> } = {},
) {
  const token = readToken(mint({ ...GOOD, ...claims }, header))
  if (!token) throw new Error('not a token')
  return judge(token, { ...BASE, ...issuer }, NOW * 1000)
    .filter(({ fault }) => fault !== undefined)
    .map(({ name, fault, setting }) => `${name}: ${fault} (${setting})`)
}

t.test('every check is told, and none hides another', async (t) => {
  const token = readToken(mint(GOOD))
  t.strictSame(
    token && judge(token, BASE, NOW * 1000).map(({ name, fault }) => [name, fault]),
    ['issuer', 'tenant', 'algorithm', 'type', 'audience', 'subject', 'expiry', 'not before', 'issued at', 'age'].map(
      (name) => [name, undefined],
    ),
  )
  const worst = { iss: 'x', aud: 'x', oid: 7, exp: 1, nbf: NOW + 60, iat: 1 }
  t.strictSame(faults(worst, { header: { alg: 'HS512', typ: 'logout+jwt' } }), [
    'issuer: issuer (issuer)',
    'algorithm: algorithm (algorithms)',
    'type: type (allowedTypes)',
    'audience: audience (audience)',
    'subject: subject (subjectType)',
    'expiry: expired (clockToleranceSeconds)',
    'not before: not_yet_valid (clockToleranceSeconds)',
    'age: too_old (maxTokenAgeSeconds)',
  ])
})

t.test('each check, and the setting that decides it', async (t) => {
  const tenant = ['tenant: tenant (tenants)']
  const issuer = ['issuer: issuer (issuer)']
  const audience = ['audience: audience (audience)']
  const noClaim = ['audience: audience (audienceClaim)']
  const subject = ['subject: subject (subject)']
  const cognito: Partial<Issuer> = { audienceClaim: ['client_id'] }
  const rows: { name: string; claims?: object; issuer?: Partial<Issuer>; want: string[] }[] = [
    { name: 'v2', want: [] },
    { name: 'v1', claims: { iss: 'https://sts.test/one/' }, want: [] },
    { name: 'another tenant', claims: { iss: 'https://login.test/two/v2.0', tid: 'two' }, want: [] },
    { name: 'the tid of another tenant', claims: { tid: 'two' }, want: tenant },
    { name: 'no tid', claims: { tid: undefined }, want: tenant },
    { name: 'a list of tids', claims: { tid: ['one'] }, want: tenant },
    { name: 'a tid in capitals', claims: { tid: 'ONE' }, want: tenant },
    { name: 'a strange tenant', claims: { iss: 'https://login.test/evil/v2.0', tid: 'evil' }, want: issuer },
    { name: 'v1 of a tenant that has only v2', claims: { iss: 'https://sts.test/two/', tid: 'two' }, want: issuer },
    { name: 'a path in a tenant', claims: { iss: 'https://login.test/evil/../one/v2.0' }, want: issuer },
    { name: 'the pattern itself', claims: { iss: 'https://login.test/{tid}/v2.0', tid: '{tid}' }, want: issuer },
    { name: 'a list of issuers', claims: { iss: [GOOD.iss] }, want: issuer },
    { name: 'a list of audiences', claims: { aud: ['x', 'web'] }, want: [] },
    { name: 'a list with a number', claims: { aud: ['web', 7] }, want: audience },
    { name: 'no audience', claims: { aud: undefined }, want: noClaim },
    { name: 'an audience that none asks for', claims: { aud: undefined }, issuer: { audience: 'none' }, want: [] },
    { name: 'a client', claims: { aud: undefined, client_id: 'web' }, issuer: cognito, want: [] },
    { name: 'another client', claims: { client_id: 'x' }, issuer: cognito, want: audience },
    { name: 'no client, and an audience', claims: { aud: 'web' }, issuer: cognito, want: noClaim },
    { name: 'a list of clients', claims: { client_id: ['web'] }, issuer: cognito, want: audience },
    { name: 'a client that is a number', claims: { client_id: 7 }, issuer: cognito, want: audience },
    { name: 'no subject', claims: { oid: undefined, sub: 'alice' }, want: subject },
    { name: 'iss null, where there is to be none', claims: { iss: null }, issuer: { issuer: 'none' }, want: issuer },
    { name: 'no iss, where there is to be none', claims: { iss: undefined }, issuer: { issuer: 'none' }, want: [] },
    { name: 'no iss', claims: { iss: undefined }, want: issuer },
  ]
  for (const { name, claims = {}, issuer = {}, want } of rows) {
    t.strictSame(faults(claims, { issuer }), want, name)
  }
})
