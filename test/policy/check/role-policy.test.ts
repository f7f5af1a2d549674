import t from 'tap'
import { runExamples } from '../../../src/policy/check/examples.ts'
import { rolePolicy } from '../../../src/policy/check/role-policy.ts'
import { MAX_SESSION_POLICY_BYTES } from '../../../src/policy/language/document.ts'
import type { Template } from '../../../src/policy/template/template.ts'
import { filesOf } from '../../helpers/template-files.ts'
import { settings, template } from '../../helpers/templates.ts'

const lintSettings = { ...settings, issuers: ['app', 'partner'], severalIssuers: true }
const policyOf = (...templates: Template[]) =>
  rolePolicy(templates.map((one) => ({ template: one, settings: lintSettings })))
const jrn = (key: string) => `jrn:oss:*:111111111111:test-app/${key}`
const allow = (Action: string[], ...keys: string[]) => ({
  Effect: 'Allow',
  Action: Action.map((action) => `oss:${action}`),
  Resource: keys.map((key) => `jrn:oss:*:\${account}:\${bucket}/${key}`),
})
const of = (parts: Record<string, unknown>, ...Statement: unknown[]) =>
  template({ ...parts, policy: { Version: '3', Statement } })
const MANY = Array.from({ length: 17 }, (_, i) => `w${i}`)

const rows: { name: string; templates: Template[]; want: (readonly [actions: string[], keys: string[]])[] }[] = [
  {
    name: 'a claim becomes a wildcard',
    templates: [of({}, allow(['PutObject'], 'users/${jwt:sub}/*'))],
    want: [[['PutObject'], ['users/*/*']]],
  },
  {
    name: 'wildcards side by side become one',
    templates: [of({ params: { p: {} } }, allow(['PutObject'], 'in/${jwt:sub}${param:p}*'))],
    want: [[['PutObject'], ['in/*']]],
  },
  {
    name: 'a variable with few values becomes these',
    templates: [
      of(
        { params: { kind: { pattern: 'photos|films' } } },
        allow(['PutObject'], '${issuer}/${param:kind}/${jwt:sub}/*'),
      ),
    ],
    want: [[['PutObject'], ['app/films/*/*', 'app/photos/*/*']]],
  },
  {
    name: 'a variable with many values becomes a wildcard',
    templates: [of({ params: { p: { pattern: MANY.join('|') } } }, allow(['GetObject'], 'x/${param:p}/*'))],
    want: [[['GetObject'], ['x/*/*']]],
  },
  {
    name: 'what a wider resource includes is left out',
    templates: [
      of({}, allow(['PutObject', 'GetObject'], 'users/${jwt:sub}/*')),
      of({ params: { p: {} } }, allow(['PutObject', 'DeleteObject'], 'users/${jwt:sub}/albums/${param:p}/*')),
    ],
    want: [
      [['PutObject', 'GetObject'], ['users/*/*']],
      [['DeleteObject'], ['users/*/albums/*/*']],
    ],
  },
  {
    name: 'resources with the same actions share a statement, in whatever order they stand',
    templates: [
      of({}, allow(['GetObject', 'PutObject'], 'b/*')),
      of({}, allow(['PutObject'], 'a/*'), allow(['GetObject'], 'a/*')),
    ],
    want: [
      [
        ['PutObject', 'GetObject'],
        ['a/*', 'b/*'],
      ],
    ],
  },
  {
    name: 'a Deny is left out',
    templates: [of({}, allow(['PutObject'], 'a/*'), { ...allow(['PutObject'], 'a/x/*'), Effect: 'Deny' })],
    want: [[['PutObject'], ['a/*']]],
  },
  { name: 'no template needs no permission', templates: [], want: [] },
]

for (const { name, templates, want } of rows) {
  t.test(name, async (t) => {
    t.strictSame(policyOf(...templates), {
      Version: '3',
      Statement: want.map(([actions, keys]) => ({
        Effect: 'Allow',
        Action: actions.map((action) => `oss:${action}`),
        Resource: keys.map(jrn),
      })),
    })
    t.strictSame(policyOf(...templates.toReversed()), policyOf(...templates), 'the order of templates changes nothing')
  })
}

t.test('a bucket, a region and an account are never widened', async (t) => {
  const Resource = ['jrn:oss:${region}:${account}:${bucket}', 'jrn:oss:*:${account}:${bucket}']
  const listing = template({
    policy: { Version: '3', Statement: [{ Effect: 'Allow', Action: 'oss:ListBucket', Resource }] },
  })
  t.strictSame(
    policyOf(listing).Statement.map(({ Resource }) => Resource),
    [['jrn:oss:*:111111111111:test-app']],
  )
})

t.test('a template that leads to several targets needs each of them', async (t) => {
  const chosen = of(
    { target: { from: 'jwt:tenant', map: { acme: 'east', beta: 'west' } } },
    allow(['PutObject'], '${jwt:tenant}/${jwt:sub}/*'),
  )
  const bindings = ['east', 'west'].map((target) => ({
    template: chosen,
    settings: { ...lintSettings, target, bucket: `${target}-app` },
  }))
  t.strictSame(
    rolePolicy(bindings).Statement.map(({ Resource }) => Resource),
    [['jrn:oss:*:111111111111:east-app/acme/*/*', 'jrn:oss:*:111111111111:west-app/beta/*/*']],
  )
})

for (const folder of ['policies', 'docs/cookbook']) {
  t.test(`every example of ${folder} holds within the permissions of the role`, async (t) => {
    const templates = filesOf(folder)
    const policy = policyOf(...templates)
    const outcomes = templates.flatMap((one) => runExamples(one, lintSettings, policy))
    t.ok(outcomes.filter(({ expected }) => expected === 'can').length > 10)
    t.strictSame(
      outcomes.filter(({ held }) => !held).map(({ message }) => message),
      [],
    )
  })
}

t.test('the permissions for the shipped templates are small', async (t) => {
  t.ok(Buffer.byteLength(JSON.stringify(policyOf(...filesOf('policies')))) < MAX_SESSION_POLICY_BYTES / 4)
})
