import fc from 'fast-check'
import t from 'tap'
import { issuerEntrySchema } from '../../src/identity/issuer-entry.ts'
import { fillIn, type GivenEntry, PROVIDER_NAMES, typicalClaims } from '../../src/identity/preset.ts'
import { PROVIDERS, type Provider } from '../../src/identity/providers.ts'
import { claimText } from '../../src/policy/claims/transform.ts'

/** An entry that its provider completes. */
function least(provider: (typeof PROVIDER_NAMES)[number]): GivenEntry {
  const { form, issuer }: Provider = PROVIDERS[provider]
  return {
    name: 'app',
    provider,
    audience: ['vend'],
    ...(form && !issuer && { issuer: [form.example] }),
    ...(provider === 'azure' && { tenants: ['one'] }),
  }
}

/** Values that no preset has. */
const own = fc.record(
  {
    audienceClaim: fc.constant('own_audience'),
    subject: fc.constant('own_subject'),
    subjectType: fc.constant('integer' as const),
    secret: fc.constant('own-secret'),
    publicKeyFile: fc.constant('own.pem'),
    jwksUrl: fc.constant('https://own.test/jwks'),
    jwksFile: fc.constant('own.json'),
    jwksTokenFile: fc.constant('own-token'),
    jwksCaFile: fc.constant('own-ca'),
    allowedTypes: fc.constant<string[]>(['own']),
    clockToleranceSeconds: fc.constant(1),
  },
  { requiredKeys: [] },
)
const KEYS = ['secret', 'secretFile', 'publicKey', 'publicKeyFile', 'jwksUrl', 'jwksFile'] as const

t.test('a field of the operator wins, and a key of the operator is the only one', async (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...PROVIDER_NAMES), own, (provider, fields) => {
      const given: GivenEntry = { ...least(provider), ...fields }
      const filled = fillIn(given)
      const { provider: _, ...want } = given
      t.match(filled, want)
      if (!KEYS.some((key) => given[key] !== undefined)) return
      const wanted = ['jwksTokenFile', 'jwksCaFile', ...KEYS].filter((key) => Object.hasOwn(fields, key))
      const found = Object.keys(filled).filter((key) => /^(?:jwks|secret|publicKey)/u.test(key))
      t.strictSame(found.toSorted(), wanted.toSorted())
    }),
  )
})

t.test('no preset weakens a check, and only one knows the audience', async (t) => {
  const mayFill = ['name', 'issuer', 'audience', 'audienceClaim', 'subject', 'jwksUrl', 'jwksTokenFile', 'jwksCaFile']
  for (const provider of PROVIDER_NAMES) {
    const given = least(provider)
    const filled = fillIn(given)
    t.ok(issuerEntrySchema.safeParse(filled).success, provider)
    const fields = Object.keys(filled).filter((field) => !mayFill.includes(field) && field !== 'tenants')
    t.strictSame(fields, [], `${provider} fills in no more`)
    t.match(filled, { audience: ['vend'] })
    const { audience, ...without } = given
    const alone = fillIn(without)
    if (provider === 'supabase') t.match(alone, { audience: ['authenticated'] })
    else t.match(alone, [['audience', String]], `${provider} asks for the audience`)
  }
})

t.test('an iss in the form of its provider passes, and no other does', async (t) => {
  const rows: [provider: (typeof PROVIDER_NAMES)[number], good: string[], bad: string[]][] = [
    ['auth0', ['https://a.eu.auth0.com/', 'https://login.own.test/'], ['https://a.auth0.com', 'a.auth0.com/', 'none']],
    ['keycloak', ['https://k.test/auth/realms/web'], ['https://k.test/realms/web/', 'https://k.test', 'none']],
    ['cognito-id', ['https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_A1'], ['https://a.test/cn-north-1_A1']],
    ['firebase', ['https://securetoken.google.com/p'], ['https://session.firebase.google.com/p']],
    ['okta', ['https://id.own.test/oauth2/aus1'], ['https://a.okta.com', 'https://a.okta.com/oauth2/default/']],
    ['supabase', ['http://127.0.0.1:54321/auth/v1'], ['https://a.supabase.co/', 'https://a.supabase.co/auth/v1/']],
    ['gitlab', ['https://gitlab.own.test', 'https://own.test/gitlab'], ['https://gitlab.com/', 'gitlab.com']],
  ]
  for (const [provider, good, bad] of rows) {
    const form = PROVIDERS[provider].form?.example
    for (const issuer of good) t.match(fillIn({ ...least(provider), issuer: [issuer] }), { issuer: [issuer] })
    for (const issuer of bad) {
      const faults = fillIn({ ...least(provider), issuer: [issuer] })
      t.match(faults, [['issuer', `must look like ${form}`, 'see docs/providers.md']], issuer)
    }
    t.match(fillIn({ ...least(provider), issuer: [form ?? ''] }), { issuer: [form] }, 'the example is one')
  }
})

t.test('without a provider nothing is filled in', async (t) => {
  const entry = { name: 'app', issuer: ['https://a.test'], audience: ['vend'] }
  t.strictSame(fillIn(entry), entry)
  t.strictSame(typicalClaims({}), {})
})

t.test('claims of build systems and clusters are known to be no folders, those of people are', async (t) => {
  const refused = PROVIDER_NAMES.filter(
    (provider) => claimText(typicalClaims({ provider }).sub, undefined, 'app') === undefined,
  )
  t.strictSame(refused, ['kubernetes', 'github-actions', 'gitlab'])
  for (const provider of PROVIDER_NAMES) t.ok(claimText(typicalClaims({ provider }).sub, 'hash', 'app'), provider)
})

t.test("templates see as `sub` the operator's own subject, of which little is known", async (t) => {
  const provider = 'github-actions'
  t.match(typicalClaims({ provider }), { sub: /^repo:/u })
  t.match(typicalClaims({ provider, subject: 'sub' }), { sub: /^repo:/u })
  t.equal(typicalClaims({ provider, subject: 'repository' }).sub, 'octo-org/octo-repo')
  for (const subject of ['repository_id', 'constructor', '__proto__']) {
    t.notOk('sub' in typicalClaims({ provider, subject }), subject)
    t.ok('ref' in typicalClaims({ provider, subject }), 'the other claims stay')
  }
  t.match(typicalClaims({ provider: 'azure', subject: 'oid' }), { sub: String })
  t.notOk('sub' in typicalClaims({ provider: 'azure', subject: 'sub' }))
})
