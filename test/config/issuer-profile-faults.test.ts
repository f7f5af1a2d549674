import t from 'tap'
import { faultLines, issuersFile } from '../helpers/config-faults.ts'
import { AUDIENCE, keys, pem } from '../helpers/tokens.ts'

const one = { name: 'web', issuer: 'https://web.test', audience: AUDIENCE }
const own = { ...one, secret: keys.hmac }
const spki = pem(keys.rsa.publicKey)
const OTHER_SECRET = 'the-secret-that-comes-next-of-more-than-thirty-two-bytes-0123'
const OWN_KEY = 'none needs a secret or a public key, and no key set'
const SHARED = 'JWT_ISSUERS_FILE: an issuer or audience of none needs a key that no other issuer has'
const PLACEHOLDER = 'issuer: must be the iss itself: {tid}, once, is the only placeholder'
const PATTERN = 'https://login.test/{tid}/v2.0'
const TENANTS = { issuer: PATTERN, tenants: ['one'] }

type Row = Readonly<{ name: string; entry: object; want: string | string[]; others?: object[] }>

const ROWS: readonly Row[] = [
  // issuer and tenants
  { name: 'none beside a value', entry: { ...own, issuer: ['none', 'x'] }, want: 'issuer: none must stand alone' },
  { name: 'one iss twice', entry: { ...own, issuer: ['a', 'a'] }, want: 'issuer: must not name one iss twice' },
  {
    name: 'a pattern and one of its values',
    entry: { ...own, ...TENANTS, issuer: [PATTERN, 'https://login.test/one/v2.0'] },
    want: 'issuer: must not name one iss twice',
  },
  {
    name: 'a tenant twice',
    entry: { ...own, ...TENANTS, tenants: ['a', 'a'] },
    want: 'issuer: must not name one iss twice',
  },
  { name: 'a wildcard', entry: { ...own, issuer: 'https://*.test' }, want: PLACEHOLDER },
  { name: 'another placeholder', entry: { ...own, issuer: 'https://login.test/{tenantid}' }, want: PLACEHOLDER },
  {
    name: 'the placeholder twice',
    entry: { ...own, issuer: 'https://{tid}.test/{tid}', tenants: ['a'] },
    want: PLACEHOLDER,
  },
  {
    name: 'a pattern without tenants',
    entry: { ...own, issuer: PATTERN },
    want: 'issuer: {tid} needs a list of tenants',
  },
  {
    name: 'tenants without a pattern',
    entry: { ...own, tenants: ['a'] },
    want: 'tenants: applies only to an issuer with {tid}',
  },
  {
    name: 'tenants of none',
    entry: { ...own, issuer: 'none', tenants: ['a'] },
    want: 'tenants: applies only to an issuer with {tid}',
  },
  ...['', 'a/b', '{tid}', '.', '..', 'a b', 'a%2fb', 'x'.repeat(65)].map((tenant) => ({
    name: `tenant ${tenant}`,
    entry: { ...own, ...TENANTS, tenants: [tenant] },
    want: 'tenants.0: has the wrong form',
  })),
  {
    name: 'several tenants whose subjects could be the same',
    entry: { ...own, ...TENANTS, tenants: ['one', 'two'] },
    want: 'tenants: several tenants need a subject',
  },
  {
    name: 'a tenant beside others',
    entry: { ...own, issuer: [PATTERN, 'https://web.test'], tenants: ['one'] },
    want: 'tenants: several tenants need a subject',
  },
  // audience
  {
    name: 'none beside an audience',
    entry: { ...own, audience: ['none', 'x'] },
    want: 'audience: none must stand alone',
  },
  {
    name: 'a claim for no audience',
    entry: { ...own, audience: 'none', audienceClaim: 'azp' },
    want: 'audienceClaim: applies only to an audience',
  },
  ...['iss', 'sub', 'exp', 'token_use', '"iss"'].map((audienceClaim) => ({
    name: `audience claim ${audienceClaim}`,
    entry: { ...own, audienceClaim },
    want: 'audienceClaim: must be a claim that names the app',
  })),
  // subject
  ...['iss', 'aud', 'jti', 'tid', 'scope', 'iat', '"tid"'].map((subject) => ({
    name: `subject ${subject}`,
    entry: { ...own, subject },
    want: 'subject: must be a claim that names one user',
  })),
  // opt-outs
  ...(['issuer', 'audience'] as const).flatMap((field) => [
    { name: `no ${field}, discovered`, entry: { ...one, [field]: 'none' }, want: `${field}: ${OWN_KEY}` },
    {
      name: `no ${field}, a key set`,
      entry: { ...one, [field]: 'none', jwksUrl: 'https://web.test/k' },
      want: `${field}: ${OWN_KEY}`,
    },
    {
      name: `no ${field}, a secret and a key set`,
      entry: { ...own, [field]: 'none', jwksUrl: 'https://web.test/k' },
      want: `${field}: ${OWN_KEY}`,
    },
    {
      name: `no ${field}, a key set in a file`,
      entry: { ...one, [field]: 'none', jwksFile: 'set.json' },
      want: `${field}: ${OWN_KEY}`,
    },
    {
      name: `no ${field}, the secret of another`,
      entry: { ...own, [field]: 'none' },
      others: [{ ...own, name: 'app', issuer: 'https://app.test' }],
      want: [SHARED],
    },
    {
      name: `no ${field}, the secret of another in another encoding`,
      entry: { ...own, [field]: 'none', secret: Buffer.from(keys.hmac).toString('hex'), secretEncoding: 'hex' },
      others: [{ ...own, name: 'app', issuer: 'https://app.test' }],
      want: [SHARED],
    },
    {
      name: `no ${field}, the public key of another`,
      entry: { ...one, [field]: 'none', publicKey: spki },
      others: [{ ...one, name: 'app', issuer: 'https://app.test', publicKey: spki.replaceAll('\n', '\\n') }],
      want: [SHARED],
    },
  ]),
  {
    name: 'two without iss',
    entry: { ...own, issuer: 'none' },
    others: [{ ...own, name: 'app', issuer: 'none', secret: OTHER_SECRET }],
    want: ['JWT_ISSUERS_FILE: only one issuer may be none'],
  },
  {
    name: 'an iss of two issuers, once by a tenant',
    entry: { ...own, ...TENANTS },
    others: [{ ...own, name: 'app', issuer: ['https://x.test', 'https://login.test/one/v2.0'] }],
    want: ['JWT_ISSUERS_FILE: each issuer must appear only once'],
  },
]

t.test('every profile that makes no sense is refused at start', async (t) => {
  for (const { name, entry, others = [], want } of ROWS) {
    t.test(name.replaceAll('/', '|'), async (t) => {
      const lines = faultLines(issuersFile(t, [entry, ...others]))
      t.strictSame(lines, typeof want === 'string' ? [`JWT_ISSUERS_FILE[0].${want}`] : want)
    })
  }
})

t.test('so are the variables of a single issuer', async (t) => {
  const rows = [
    { env: { JWT_ISSUER: 'none', JWT_SECRET: '' }, want: [`JWT_ISSUER: ${OWN_KEY}`] },
    { env: { JWT_AUDIENCE: 'none', JWT_JWKS_URL: 'https://k.test' }, want: [`JWT_AUDIENCE: ${OWN_KEY}`] },
    { env: { JWT_AUDIENCE: 'none,x' }, want: ['JWT_AUDIENCE: none must stand alone'] },
    { env: { JWT_ISSUER: PATTERN }, want: ['JWT_ISSUER: {tid} needs a list of tenants'] },
    { env: { JWT_AUDIENCE_CLAIM: 'iss' }, want: ['JWT_AUDIENCE_CLAIM: must be a claim that names the app'] },
    { env: { JWT_AUDIENCE_CLAIM: 'a b' }, want: ['JWT_AUDIENCE_CLAIM: must be the name of a claim'] },
    { env: { JWT_SUBJECT_CLAIM: 'aud' }, want: ['JWT_SUBJECT_CLAIM: must be a claim that names one user'] },
    { env: { JWT_SUBJECT_TYPE: 'number' }, want: ['JWT_SUBJECT_TYPE: must be text or integer'] },
    { env: { JWT_SECRET_ENCODING: 'hex' }, want: ['JWT_SECRET: must be hex throughout'] },
    {
      env: { JWT_SECRET_ENCODING: 'hex', JWT_SECRET: '', JWT_PUBLIC_KEY: spki },
      want: ['JWT_SECRET_ENCODING: applies only to a secret'],
    },
    { env: { JWT_MAX_BYTES: '1023' }, want: ['JWT_MAX_BYTES: must be a whole number from 1024 to 32768'] },
    { env: { JWT_JWKS_TIMEOUT_MS: '0' }, want: ['JWT_JWKS_TIMEOUT_MS: must be a whole number from 100 to 10000'] },
  ]
  for (const { env, want } of rows) t.strictSame(faultLines(env), want, JSON.stringify(env))
})
