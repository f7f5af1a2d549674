import fc from 'fast-check'
import t from 'tap'
import { diffCatalogues } from '../../../src/policy/check/diff.ts'
import type { Template } from '../../../src/policy/template/template.ts'
import { settings, statement, template } from '../../helpers/templates.ts'

const issuers = ['app', 'web']
const catalogue = (parts?: Record<string, unknown>) =>
  new Map<string, Template>(parts ? [['mine', template(parts)]] : [])
const diff = (before?: Record<string, unknown>, after?: Record<string, unknown>) =>
  diffCatalogues(catalogue(before), catalogue(after), { ...settings, issuers }, 1_700_000_000_000)

type Parts = Readonly<{
  issuer: string[]
  scopes: string[]
  level: number | undefined
  tier: string | undefined
  any: Record<string, unknown>[] | undefined
  statements: { actions: string[]; folders: string[] }[]
  pattern: string | undefined
  durationSeconds: number
  examples: boolean
}>

const build = ({ issuer, scopes, level, tier, any, statements, pattern, durationSeconds, examples }: Parts) => ({
  allow: {
    issuer,
    claims: {
      scope: scopes,
      ...(level !== undefined && { level: { atLeast: level } }),
      ...(tier !== undefined && { tier: { equals: tier } }),
    },
    ...(any && { any }),
  },
  params: { album: pattern === undefined ? {} : { pattern } },
  durationSeconds,
  policy: {
    Version: '3',
    Statement: statements.map(({ actions, folders }) => ({
      Effect: 'Allow',
      Action: actions,
      Resource: folders.map((folder) => statement(`users/\${issuer}/\${jwt:sub}/${folder}`).Resource[0]),
    })),
  },
  examples: examples
    ? [
        {
          caller: { sub: 'alice', scope: scopes[0], level, tier: tier ?? 'x' },
          params: { album: 'trip' },
          cannot: ['PutObject users/app/bob/1'],
        },
      ]
    : [],
})

const action = fc.constantFrom('oss:PutObject', 'oss:DeleteObject')
const folder = fc.constantFrom('in/*', '${param:album}/*', 'photos/*', 'photos/2026/*', 'avatar.png')
const parts: fc.Arbitrary<Parts> = fc.record({
  issuer: fc.constantFrom(['app'], ['web']),
  scopes: fc.constantFrom(['up'], ['up', 'down']),
  level: fc.constantFrom(undefined, 3, 7),
  tier: fc.constantFrom(undefined, 'gold'),
  any: fc.constantFrom(undefined, [{ claims: { plan: 'pro' } }]),
  statements: fc.array(
    fc.record({
      actions: fc.uniqueArray(action, { minLength: 1, maxLength: 2 }),
      folders: fc.uniqueArray(folder, { minLength: 1, maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  pattern: fc.constantFrom('[a-z]+', '[a-z-]{1,20}', undefined),
  durationSeconds: fc.constantFrom(3600, 7200),
  examples: fc.boolean(),
})

/** Each makes more possible; undefined where it cannot. */
const WIDENINGS: Record<string, (parts: Parts) => Parts | undefined> = {
  'an action': (parts) =>
    withFirst(parts, ({ actions, folders }) => ({ actions: [...actions, 'oss:GetObject'], folders })),
  'another folder': (parts) =>
    withFirst(parts, ({ actions, folders }) => ({ actions, folders: [...folders, 'secret/*'] })),
  'a wider folder': (parts) => withFirst(parts, ({ actions }) => ({ actions, folders: ['*'] })),
  'a statement': (parts) => ({
    ...parts,
    statements: [...parts.statements, { actions: ['oss:GetObject'], folders: ['photos/*'] }],
  }),
  'an issuer': (parts) => ({ ...parts, issuer: ['app', 'web'] }),
  'a scope': (parts) => ({ ...parts, scopes: [...parts.scopes, 'admin'] }),
  'a lower level': (parts) => (parts.level === undefined ? undefined : { ...parts, level: 1 }),
  'no level': (parts) => (parts.level === undefined ? undefined : { ...parts, level: undefined }),
  'no tier': (parts) => (parts.tier === undefined ? undefined : { ...parts, tier: undefined }),
  'another tier': (parts) => (parts.tier === undefined ? undefined : { ...parts, tier: 'silver' }),
  'an alternative': (parts) => (parts.any ? { ...parts, any: [...parts.any, { claims: { trial: true } }] } : undefined),
  'no alternatives': (parts) => (parts.any ? { ...parts, any: undefined } : undefined),
  'a longer session': (parts) => ({ ...parts, durationSeconds: 14_400 }),
  'any parameter': (parts) => (parts.pattern === undefined ? undefined : { ...parts, pattern: undefined }),
  'a wider parameter': (parts) => (parts.pattern === undefined ? undefined : { ...parts, pattern: '[A-Za-z0-9-]+' }),
}

function withFirst(parts: Parts, change: (first: Parts['statements'][number]) => Parts['statements'][number]): Parts {
  const [first, ...rest] = parts.statements
  return first ? { ...parts, statements: [change(first), ...rest] } : parts
}

t.test('a set compared with itself has no gain, loss or unclear part', async (t) => {
  fc.assert(
    fc.property(parts, (parts) => {
      t.strictSame(diff(build(parts), build(parts)), { gains: [], losses: [], unclear: [] })
    }),
    { numRuns: 40 },
  )
})

for (const [name, widen] of Object.entries(WIDENINGS)) {
  t.test(`a planted widening is found: ${name}`, async (t) => {
    let planted = 0
    const property = fc.property(parts, (before) => {
      const after = widen(before)
      // Some change nothing: a scope that is there already, a folder inside of another.
      if (!after || JSON.stringify(after) === JSON.stringify(before)) return
      planted++
      const found = diff(build(before), build(after))
      if (found.gains.length + found.unclear.length === 0) throw new Error('nothing is told')
      const needsReading = name.endsWith('parameter') && !JSON.stringify(before.statements).includes('param:album')
      if (found.gains.length === 0 && !needsReading) throw new Error('no gain is told')
      // Read the other way round, it is a loss.
      if (diff(build(after), build(before)).losses.length === 0 && !needsReading) throw new Error('no loss is told')
    })
    fc.assert(property, { numRuns: 40 })
    t.ok(planted > 5, `${planted} were planted`)
  })
}

t.test('a new template is a gain, a removed one a loss', async (t) => {
  const upload = { allow: { issuer: 'app' } }
  t.match(diff(undefined, upload), { gains: [{ template: 'mine' }], losses: [] })
  t.match(diff(upload, undefined), { gains: [], losses: [{ template: 'mine' }] })
  t.strictSame(diff({ allow: undefined }, { allow: undefined, description: 'other' }), {
    gains: [],
    losses: [],
    unclear: [],
  })
})

t.test('changes that no value shows are unclear', async (t) => {
  const matching = (pattern: string) => ({ allow: { claims: { id: { matches: pattern } } } })
  t.strictSame(diff(matching('a{9}'), matching('a{9,}')), {
    gains: [],
    losses: [],
    unclear: [
      { template: 'mine', what: 'allow' },
      { template: 'mine', what: 'allow.matches' },
    ],
  })
  const param = (pattern: string) => ({
    params: { p: { pattern } },
    policy: { Version: '3', Statement: [statement('users/${jwt:sub}/${param:p}/*')] },
  })
  t.strictSame(diff(param('x{3}'), param('x{3,4}')).unclear, [{ template: 'mine', what: 'params.p' }])
})

t.test('transforms, memberships and dates are compared', async (t) => {
  const of = (path: string, more: Record<string, unknown> = {}) => ({
    policy: { Version: '3', Statement: [statement(path)] },
    examples: [
      { caller: { sub: 'alice', orgs: ['acme'] }, at: '2026-03-01', params: { org: 'acme' }, cannot: ['ListBuckets'] },
    ],
    params: { org: { oneOf: 'jwt:orgs' } },
    ...more,
  })
  const hashed = diff(of('users/${jwt:sub}/${param:org}/*'), of('users/${jwt:sub|hash}/${param:org}/*'))
  t.strictSame([hashed.gains.length, hashed.losses.length], [1, 1], 'a hash is another folder')
  const own = of('orgs/${param:org}/*')
  const lower = diff(of('users/${jwt:sub}/*'), of('users/${jwt:sub|lower}/*'))
  t.strictSame([lower.gains, lower.unclear], [[], [{ template: 'mine', what: 'policy' }]], 'alice shows no difference')
  const free = diff(own, of('orgs/${param:org}/*', { params: { org: {} } }))
  t.ok(free.gains.length > 0, 'a parameter that callers choose freely')
  t.strictSame(free.unclear, [{ template: 'mine', what: 'params.org' }])
  const other = diff(own, of('orgs/${param:org}/*', { params: { org: { oneOf: 'jwt:teams' } } }))
  t.strictSame(other.unclear, [{ template: 'mine', what: 'params.org' }], 'another claim')
  const day = diff(of('u/${jwt:sub}/${date:yyyy/MM/dd}/*'), of('u/${jwt:sub}/${date:yyyy/MM}/*'))
  t.match(day.gains, [{ allowances: [{ resource: /\/u\/alice\/2023\/11\/\*$/u }] }], 'a month is more than a day')
})

t.test('a loss does not hide a gain', async (t) => {
  const of = (path: string, actions: string[], more: Record<string, unknown> = {}) => ({
    policy: { Version: '3', Statement: [{ ...statement(path), Action: actions }] },
    examples: [{ caller: { sub: 'alice', role: 'admin' }, can: ['PutObject users/alice/1'] }],
    ...more,
  })
  const both = ['oss:PutObject', 'oss:GetObject']
  const put = ['oss:PutObject']
  const role = (test: unknown, scope: string[]) => ({ allow: { claims: { role: test, scope } } })
  const rows = [
    {
      name: 'one caller’s folder for all',
      before: of('users/${jwt:sub}/*', both),
      after: of('users/alice/*', put),
      what: 'policy',
    },
    {
      name: 'a word for the whole claim',
      before: of('users/${jwt:sub}/*', both, role({ equals: 'admin' }, ['a', 'b'])),
      after: of('users/${jwt:sub}/*', both, role(['admin'], ['a'])),
      what: 'allow',
    },
    {
      name: 'longer sessions than the role has today',
      before: of('users/${jwt:sub}/*', both),
      after: of('users/${jwt:sub}/*', put, { durationSeconds: 43_200 }),
      what: 'durationSeconds',
    },
  ]
  for (const { name, before, after, what } of rows) {
    const { gains, unclear } = diffCatalogues(catalogue(before), catalogue(after), {
      ...settings,
      maxSessionSeconds: 3600,
      issuers,
    })
    t.ok(gains.length > 0 || unclear.some((one) => one.what === what), name)
  }
  const hidden = diff(undefined, {
    allow: { claims: { id: { matches: 'x{7}y' } } },
    ...of('users/*', both),
    examples: [],
  })
  t.strictSame(
    hidden.unclear,
    [{ template: 'mine', what: 'all of it' }],
    'a new template that none of the known callers gets',
  )
})

t.test('a narrower template is only a loss', async (t) => {
  const of = (allow: unknown, path = 'users/${jwt:sub}/*', Action = ['oss:PutObject', 'oss:GetObject']) => ({
    allow,
    policy: { Version: '3', Statement: [{ ...statement(path), Action }] },
    examples: [{ caller: { sub: 'alice', scope: 'a b', level: 9, tier: 'gold' }, can: ['PutObject users/alice/in/1'] }],
  })
  const scope = (...values: string[]) => ({ claims: { scope: values } })
  const rows: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ['a scope less', of(scope('a', 'b')), of(scope('a'))],
    ['a condition more', of(scope('a')), of({ claims: { scope: ['a'], tier: { equals: 'gold' } } })],
    ['a higher level', of({ claims: { level: { atLeast: 3 } } }), of({ claims: { level: { atLeast: 5 } } })],
    ['an issuer less', of({ issuer: ['app', 'web'] }), of({ issuer: 'app' })],
    ['an alternative less', of({ any: [scope('a'), scope('b')] }), of({ any: [scope('a')] })],
    ['alternatives more', of(scope('a')), of({ ...scope('a'), any: [{ issuer: 'app' }] })],
    ['a narrower folder', of(scope('a')), of(scope('a'), 'users/${jwt:sub}/in/*')],
    ['an action less', of(scope('a')), of(scope('a'), 'users/${jwt:sub}/*', ['oss:PutObject'])],
    ['nobody', of(scope('a')), of(undefined)],
  ]
  for (const [name, before, after] of rows) {
    const { gains, losses, unclear } = diff(before, after)
    t.strictSame([gains.length, unclear], [0, []], name)
    t.ok(losses.length > 0, `${name}: there is a loss`)
  }
})
