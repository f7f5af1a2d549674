import { createHash } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { ossAllows } from '../../sandbox/iam/evaluate.ts'
import { parseSessionPolicy } from '../../sandbox/iam/policy.ts'
import { VendError } from '../../src/errors.ts'
import { lintTemplate } from '../../src/policy/check/lint/lint.ts'
import { lintSubject } from '../../src/policy/check/lint/rule.ts'
import { fillIn } from '../../src/policy/grant/grant.ts'
import { settings, template } from '../helpers/templates.ts'

// Claims of any bytes, filled in through every transform and judged by the sandbox's evaluator, which shares no code with
// the service.

const ISSUERS = ['app', 'app1', 'web']
const lintSettings = { ...settings, issuers: ISSUERS, severalIssuers: true }
const DAY = Date.UTC(2026, 2, 1)

type Who = Readonly<{ issuer: string; sub: string; email: unknown; orgs: unknown; org: string | number }>

const made = (key: string, more: Record<string, unknown> = {}) =>
  template({
    allow: { claims: { sub: { present: true }, email: { present: true }, orgs: { present: true } } },
    policy: {
      Version: '3',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['oss:PutObject', 'oss:AbortMultipartUpload'],
          Resource: [`jrn:oss:*:\${account}:\${bucket}/${key}`],
        },
      ],
    },
    ...more,
  })

/** The folder that each template gives to a caller, computed by other means than the service's. */
const folders = {
  hash: {
    template: made('users/${jwt:sub|hash}/*'),
    own: ({ issuer, sub }: Who) => `users/${hashOf(issuer, sub)}/`,
  },
  dated: {
    template: made('users/${jwt:sub|hash}/${date:yyyy/MM/dd}/*'),
    own: ({ issuer, sub }: Who) => `users/${hashOf(issuer, sub)}/2026/03/01/`,
  },
  lower: {
    template: made('people/${issuer}/${jwt:sub|lower}/*', { sharedBy: 'sub|lower' }),
    own: ({ issuer, sub }: Who) => `people/${issuer}/${sub.toLowerCase()}/`,
  },
  domain: {
    template: made('hosts/${issuer}/${jwt:email|domain}/*', {
      sharedBy: 'email|domain',
      accept: { 'user-chosen-claim': 'users cannot change their e-mail here' },
    }),
    own: ({ issuer, email }: Who) => `hosts/${issuer}/${String(email).split('@').at(-1)?.toLowerCase()}/`,
  },
  oneOf: {
    template: made('orgs/${issuer}/${param:org}/*', { sharedBy: 'orgs', params: { org: { oneOf: 'jwt:orgs' } } }),
    own: ({ issuer, org }: Who) => `orgs/${issuer}/${org}/`,
  },
}

const hashOf = (issuer: string, sub: string) =>
  createHash('sha256')
    .update(
      Buffer.concat([issuer, sub].flatMap((part) => [Buffer.from(`${Buffer.byteLength(part)}:`), Buffer.from(part)])),
    )
    .digest('hex')

/** The session policy that STS would be sent, as the sandbox reads it; undefined for a refused caller. */
function sessionOf(kind: keyof typeof folders, { issuer, sub, email, orgs, org }: Who) {
  const caller = { issuer, subject: sub, claims: { sub, email, orgs } }
  const params = kind === 'oneOf' ? { org } : {}
  try {
    const { policy } = fillIn(folders[kind].template, { caller, params, at: DAY }, lintSettings)
    const parsed = parseSessionPolicy(policy)
    if (!parsed) throw new Error('STS would refuse the policy')
    return parsed
  } catch (error) {
    if (error instanceof VendError && /^(?:unsafe_value|invalid_request|policy_not_allowed)$/u.test(error.code))
      return undefined
    throw error
  }
}

const mayWrite = (policy: NonNullable<ReturnType<typeof sessionOf>>, key: string, bucket = 'test-app') =>
  ossAllows([policy], {
    action: 'oss:PutObject',
    resource: { service: 'oss', region: 'cn-north-1', account: '111111111111', resource: `${bucket}/${key}` },
  })

const piece = fc.constantFrom(
  ...[
    'alice',
    'ALICE',
    'bob',
    'x.ie',
    'X.ie',
    '@',
    '*',
    '/',
    '..',
    '.',
    ':',
    '\\',
    "'",
    ' ',
    '|',
    '${jwt:sub}',
    '"',
    '\0',
  ],
  ...['\n', '\ud800', '\u202e', '\u200b', 'e\u0301', 'é', '\u212a', 'İ', '李', '%2f', '?', 'acme', 'globex', ',"*'],
)
const text = fc.oneof(
  { weight: 4, arbitrary: fc.array(piece, { minLength: 1, maxLength: 4 }).map((all) => all.join('')) },
  {
    weight: 3,
    arbitrary: fc.constantFrom('alice', 'Alice', 'bob', 'alice@x.ie', 'bob@X.ie', "o'brien@y.ie", 'CORP\\jane'),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
)
const org = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('acme', 'globex', 'umbrella') },
  { weight: 1, arbitrary: text },
)
const who: fc.Arbitrary<Who> = fc.record({
  issuer: fc.constantFrom(...ISSUERS),
  sub: text,
  email: fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: fc.anything() }),
  orgs: fc.oneof(
    { weight: 4, arbitrary: fc.array(org, { maxLength: 4 }) },
    { weight: 1, arbitrary: org },
    { weight: 1, arbitrary: fc.anything() },
  ),
  org: fc.oneof(org, fc.integer()),
})
const kind = fc.constantFrom('hash', 'dated', 'lower', 'domain', 'oneOf') satisfies fc.Arbitrary<keyof typeof folders>

t.test('every template of this test passes the linter for several issuers', async (t) => {
  for (const [name, { template }] of Object.entries(folders)) {
    const errors = lintTemplate(lintSubject(template, lintSettings)).filter(({ severity }) => severity === 'error')
    t.strictSame(errors, [], name)
  }
})

t.test('no claim opens more than the folder that the template gives', async (t) => {
  const granted = { hash: 0, dated: 0, lower: 0, domain: 0, oneOf: 0 }
  const property = fc.property(kind, who, text, (kind, who, other) => {
    const session = sessionOf(kind, who)
    if (!session) return true
    granted[kind]++
    const own = folders[kind].own(who)
    const [top = ''] = own.split('/')
    const keys = [
      own.slice(0, -1),
      `${own.slice(0, -1)}x/1`,
      `x/${own}1`,
      `${top}/1`,
      `${top}/${other}/1`,
      `${top}/*/1`,
      '1',
    ]
    const outside = [...keys, other, `${own}../1`.replace(`${own}../`, `${top}/`)].filter((key) => !key.startsWith(own))
    return (
      mayWrite(session, `${own}1`) &&
      outside.every((key) => !mayWrite(session, key)) &&
      !mayWrite(session, `${own}1`, 'test-app2') &&
      !mayWrite(session, `${own}1`, '*')
    )
  })
  fc.assert(property, { numRuns: 6000 })
  for (const [kind, count] of Object.entries(granted)) t.ok(count > 60, `${kind}: ${count} were granted`)
})

t.test('two callers meet only where the template says so', async (t) => {
  const seen = { both: 0, met: 0 }
  const property = fc.property(kind, who, who, fc.boolean(), fc.boolean(), (kind, one, second, sameIssuer, sameOrg) => {
    const two = {
      ...second,
      issuer: sameIssuer ? one.issuer : second.issuer,
      // A member of the same organisation, or somebody who only asks for it.
      org: sameOrg ? one.org : second.org,
    }
    const [mine, theirs] = [sessionOf(kind, one), sessionOf(kind, two)]
    if (!mine || !theirs) return true
    seen.both++
    const key = `${folders[kind].own(one)}1`
    const meet = mayWrite(mine, key) && mayWrite(theirs, key)
    if (meet) seen.met++
    const onPurpose = one.issuer === two.issuer && folders[kind].own(one) === folders[kind].own(two)
    if (kind === 'hash' || kind === 'dated') return meet === (one.issuer === two.issuer && one.sub === two.sub)
    return meet === onPurpose
  })
  fc.assert(property, { numRuns: 6000 })
  t.ok(seen.both > 500, `${seen.both} pairs were granted`)
  t.ok(seen.met > 30, `${seen.met} met`)
})

t.test('claims with odd names are read as written, and never inherited', async (t) => {
  const claims = JSON.parse('{"sub":"s","a|b":"bar","a|hash":"hash","a":"plain","__proto__":"own","x":{"y|z":"deep"}}')
  const rows: { variable: string; want: string | undefined }[] = [
    { variable: 'jwt:"a|b"', want: 'bar' },
    { variable: 'jwt:"a|b"|hash', want: hashOf('app', 'bar') },
    { variable: 'jwt:"a|hash"', want: 'hash' },
    { variable: 'jwt:a|hash', want: hashOf('app', 'plain') },
    { variable: 'jwt:x."y|z"|lower', want: 'deep' },
    { variable: 'jwt:__proto__|hash', want: hashOf('app', 'own') },
    { variable: 'jwt:constructor|hash', want: undefined },
    { variable: 'jwt:toString|hash', want: undefined },
    { variable: 'jwt:sub.length|hash', want: undefined },
    { variable: 'jwt:x.__proto__|hash', want: undefined },
    { variable: 'jwt:x|hash', want: undefined },
  ]
  for (const { variable, want } of rows) {
    t.test(variable, async (t) => {
      const one = made(`f/\${${variable}}/*`, { allow: { issuer: 'app' } })
      const fill = () => fillIn(one, { caller: { issuer: 'app', subject: 's', claims } }, settings).prefixes
      if (want === undefined) t.throws(fill, VendError)
      else t.strictSame(fill(), [`f/${want}/`])
    })
  }
})

t.test('hostile values end at once, and open nothing', async (t) => {
  const long = 'x'.repeat(10_000_000)
  const rows: { name: string; who: Partial<Who> }[] = [
    { name: 'ten megabytes', who: { sub: long, email: `a@${long}`, orgs: long } },
    { name: 'ten megabytes of @', who: { email: '@'.repeat(10_000_000), sub: '@'.repeat(10_000_000) } },
    { name: 'ten megabytes of dots', who: { email: `a@${'a.'.repeat(5_000_000)}`, sub: '\ud800' } },
    { name: 'a million items', who: { orgs: Array.from({ length: 1_000_000 }, () => '*'), org: '*' } },
    {
      name: 'an object with every name',
      who: { orgs: Object.create({ acme: 1 }), email: { toString: () => 'a@x.ie' } },
    },
  ]
  for (const { name, who } of rows) {
    t.test(name, { timeout: 10_000 }, async (t) => {
      const caller = { issuer: 'app', sub: '\udfff', email: 1, orgs: {}, org: 'acme', ...who }
      for (const kind of ['hash', 'dated', 'lower', 'domain', 'oneOf'] as const)
        t.equal(sessionOf(kind, caller), undefined, kind)
    })
  }
})
