import t, { type Test } from 'tap'
import { inspectTemplates } from '../../../src/policy/check/catalogue.ts'
import { diffCatalogues } from '../../../src/policy/check/diff.ts'
import { settings, statement, template, templateText } from '../../helpers/templates.ts'

const named = (target: string, changes: Partial<typeof settings> = {}) => ({
  ...settings,
  target,
  bucket: `${target}-bucket`,
  issuers: ['app'],
  ...changes,
})
const mapOf = (...all: ReturnType<typeof named>[]) => new Map(all.map((one) => [one.target, one]))
const two = mapOf(named('acme'), named('beta', { account: '222222222222', maxSessionSeconds: 3600 }))
const MAP = { acme: 'acme', beta: 'beta' }
const EXAMPLE = { can: ['PutObject users/alice/1'], cannot: ['PutObject users/bob/1'] }
const choosing = (parts: Record<string, unknown> = {}) =>
  templateText({ target: { from: 'jwt:tenant', map: MAP }, ...parts })

async function lint(t: Test, files: Record<string, string>, targets = two) {
  const { findings } = await inspectTemplates(t.testdir(files), targets)
  const ignored = ['no-examples', 'no-cannot', 'no-abort']
  return findings.filter(({ rule }) => !ignored.includes(rule)).map(({ rule, message }) => ({ rule, message }))
}

t.test('a template names a target that there is', async (t) => {
  const only = mapOf(named('acme'))
  const unknown = (name: string, all: string) => ({
    rule: 'unknown-target',
    message: `target: no target is called ${name}; configured: ${all}`,
  })
  const rows = [
    { name: 'one of two', parts: { target: 'beta' }, want: [] },
    { name: 'a choice of two', parts: { target: { from: 'jwt:tenant', map: MAP } }, want: [] },
    { name: 'the only one, unnamed', parts: {}, targets: only, want: [] },
    { name: 'the only one, named', parts: { target: 'acme' }, targets: only, want: [] },
    {
      name: 'none of two',
      parts: {},
      want: [
        {
          rule: 'unknown-target',
          message: 'target: there are several targets, so the template must name one of acme, beta',
        },
      ],
    },
    { name: 'another', parts: { target: 'gamma' }, want: [unknown('gamma', 'acme, beta')] },
    { name: 'constructor', parts: { target: 'constructor' }, want: [unknown('constructor', 'acme, beta')] },
    { name: 'another, beside the only one', parts: { target: 'beta' }, targets: only, want: [unknown('beta', 'acme')] },
    {
      name: 'a choice with one unknown',
      parts: { target: { from: 'jwt:tenant', map: { ...MAP, x: 'gamma' } } },
      want: [unknown('gamma', 'acme, beta')],
    },
  ]
  for (const { name, parts, targets = two, want } of rows) {
    t.test(name, async (t) => t.strictSame(await lint(t, { 'a.yaml': templateText(parts) }, targets), want))
  }
})

t.test('faults of target are told at its place', async (t) => {
  const rows: { target: unknown; params?: unknown; want: RegExp }[] = [
    { target: '', want: /target/u },
    { target: 'A', want: /target/u },
    { target: ['acme'], want: /target/u },
    { target: { from: 'jwt:tenant' }, want: /map/u },
    { target: { from: 'jwt:tenant', map: {} }, want: /must name 1 to 256 values/u },
    { target: { from: 'jwt:tenant', map: MAP, default: 'acme' }, want: /default/u },
    { target: { from: 'tenant', map: MAP }, want: /write jwt:<claim> or param:<name>/u },
    { target: { from: 'jwt:a b', map: MAP }, want: /write jwt:<claim> or param:<name>/u },
    { target: { from: 'param:tenant', map: MAP }, want: /param:tenant is not declared under params/u },
    { target: { from: 'param:constructor', map: MAP }, want: /is not declared under params/u },
    { target: { from: 'jwt:tenant', map: { a: 7 } }, want: /target/u },
  ]
  for (const { target, want } of rows) {
    const [finding] = await lint(t, { 'a.yaml': templateText({ target }) })
    t.equal(finding?.rule, 'schema', JSON.stringify(target))
    t.match(finding?.message, want)
  }
  const text = templateText({ target: { from: 'jwt:tenant', map: { x: 'acme' } } }).replace('"x"', '"__proto__"')
  t.match(await lint(t, { 'a.yaml': text }), [{ rule: 'syntax' }], '__proto__ cannot be a value')
})

t.test('each target is linted with its own account, bucket and longest session', async (t) => {
  const policy = {
    Version: '3',
    Statement: [{ ...statement(''), Resource: ['jrn:oss:*:${account}:acme-bucket/users/${jwt:sub}/*'] }],
  }
  t.strictSame(await lint(t, { 'a.yaml': templateText({ target: 'acme', policy }) }), [])
  t.match(await lint(t, { 'a.yaml': templateText({ target: 'beta', policy }) }), [{ rule: 'foreign-resource' }])
  t.match(await lint(t, { 'a.yaml': choosing({ policy }) }), [
    { rule: 'foreign-resource', message: /not in the configured bucket \(target beta\)$/u },
  ])
  t.match(await lint(t, { 'a.yaml': choosing({ durationSeconds: 7200 }) }), [
    { rule: 'duration-over-role', message: /3600 seconds \(target beta\)$/u },
  ])
  const both = mapOf(named('acme', { maxSessionSeconds: 3600 }), named('beta', { maxSessionSeconds: 3600 }))
  const [one, ...more] = await lint(t, { 'a.yaml': choosing({ durationSeconds: 7200 }) }, both)
  t.match(one, { rule: 'duration-over-role', message: /3600 seconds$/u }, 'a finding of all targets names none')
  t.strictSame(more, [])
})

t.test('people meet in a bucket, and not in two', async (t) => {
  const folder = (path: string, parts: Record<string, unknown>) =>
    templateText({ policy: { Version: '3', Statement: [statement(path)] }, sharedBy: ['team'], ...parts })
  const files = (target: string) => ({
    'a.yaml': folder('users/${jwt:sub}/*', { target: 'acme', sharedBy: undefined }),
    'b.yaml': folder('users/teams/${jwt:team}/*', { target }),
  })
  const rules = async (target: string, targets = two) =>
    (await lint(t, files(target), targets)).map(({ rule }) => rule).filter((rule) => rule === 'colliding-folders')
  t.strictSame(await rules('acme'), ['colliding-folders'])
  t.strictSame(await rules('beta'), [])
  const twice = {
    'a.yaml': folder('users/${jwt:sub}/*', { target: { from: 'jwt:tenant', map: MAP }, sharedBy: undefined }),
    'b.yaml': folder('users/teams/${jwt:team}/*', { target: { from: 'jwt:tenant', map: MAP } }),
  }
  const told = (await lint(t, twice)).filter(({ rule }) => rule === 'colliding-folders')
  t.equal(told.length, 1, 'a collision in two buckets is told once')
  const sameBucket = mapOf(named('acme'), named('beta', { bucket: 'acme-bucket' }))
  t.strictSame(await rules('beta', sameBucket), ['colliding-folders'], 'two roles of one bucket are one place')
})

t.test('an example chooses its target as a caller does', async (t) => {
  const rows = [
    { caller: { sub: 'alice', tenant: 'acme' }, want: [] },
    { caller: { sub: 'alice', tenant: 'beta' }, want: [] },
    { caller: { sub: 'alice' }, want: [/claim "tenant" is missing/u] },
    { caller: { sub: 'alice', tenant: 'constructor' }, want: [/claim "tenant" leads to no storage/u] },
  ]
  for (const { caller, want } of rows) {
    const found = await lint(t, { 'a.yaml': choosing({ examples: [{ caller, ...EXAMPLE }] }) })
    t.match(
      found,
      want.map((message) => ({ rule: 'example-fails', message })),
    )
    t.equal(found.length, want.length)
  }
})

t.test('a parameter that chooses a target is used, and a claim that users choose must not', async (t) => {
  const byParam = { target: { from: 'param:tenant', map: MAP }, params: { tenant: {} } }
  t.strictSame(await lint(t, { 'a.yaml': templateText(byParam) }), [])
  t.match(await lint(t, { 'a.yaml': templateText({ target: { from: 'jwt:nickname', map: MAP } }) }), [
    { rule: 'user-chosen-claim', message: /choose another target/u },
  ])
})

t.test('a change of target is shown to reviewers', async (t) => {
  const set = (parts: Record<string, unknown>) =>
    new Map([['mine', template({ examples: [{ caller: { sub: 'alice', tenant: 'acme' }, ...EXAMPLE }], ...parts })]])
  const [acme, beta] = [set({ target: 'acme' }), set({ target: 'beta' })]
  const moved = diffCatalogues(acme, beta, two)
  t.match(moved.gains, [
    { allowances: [{ resource: 'jrn:oss:*:222222222222:beta-bucket/users/alice/*' }], template: 'mine' },
  ])
  t.strictSame(moved.unclear, [{ template: 'mine', what: 'target' }])
  const roles = mapOf(named('acme'), named('beta', { bucket: 'acme-bucket' }))
  t.match(diffCatalogues(acme, beta, roles), { gains: [], unclear: [{ what: 'target' }] }, 'also to another role alone')
  const wider = diffCatalogues(
    set({ target: { from: 'jwt:tenant', map: { acme: 'acme' } } }),
    set({ target: { from: 'jwt:tenant', map: MAP } }),
    two,
  )
  t.match(wider, { gains: [], unclear: [{ what: 'target' }] })
  t.strictSame(diffCatalogues(acme, set({ target: 'acme' }), two), { gains: [], losses: [], unclear: [] })
})
