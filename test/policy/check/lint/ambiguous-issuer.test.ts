import fc from 'fast-check'
import t from 'tap'
import { separatesIssuers } from '../../../../src/policy/check/lint/ambiguous-issuer.ts'
import { fillIn } from '../../../../src/policy/grant/grant.ts'
import { policySchema } from '../../../../src/policy/language/document.ts'
import { allowedByAll } from '../../../../src/policy/language/evaluate.ts'
import { shapeOf } from '../../../../src/policy/template/shape.ts'
import type { Template } from '../../../../src/policy/template/template.ts'
import { caller, settings, statement, template } from '../../../helpers/templates.ts'

const params = { one: {}, dir: { kind: 'path' }, org: { oneOf: 'jwt:org', default: 'a' } }
const made = (path: string): Template =>
  template({
    allow: { issuer: ['app', 'app1', 'a', 'web'] },
    params,
    policy: { Version: '3', Statement: [statement(path)] },
  })
const separates = (made: Template) =>
  made.statements.every(({ resources }) =>
    resources.every((parts) => {
      const shape = shapeOf(parts, made.params, settings)
      return shape !== undefined && separatesIssuers(shape)
    }),
  )

t.test('resources from whose keys the issuer can be read back', async (t) => {
  const rows = [
    { path: '${issuer}/${jwt:sub}/*', want: true },
    { path: 'users/${issuer}/${jwt:sub}/*', want: true },
    { path: '${jwt:sub}/${issuer}/*', want: true },
    { path: '${param:one}/${issuer}/${jwt:sub}/*', want: true },
    { path: '${issuer}/${param:dir}/${jwt:sub}/*', want: true },
    { path: '${issuer}.${jwt:sub}/*', want: true },
    { path: 'u-${issuer}@${jwt:sub}/*', want: true },
    { path: '${region}-${issuer}/${jwt:sub}', want: true },
    { path: '${issuer}', want: true },
    { path: '${jwt:sub|hash}/*', want: true },
    { path: '${param:one}/u-${jwt:sub|hash}.d/*', want: true },
    { path: '${date:yyyy/MM}/${jwt:sub|hash}/${param:dir}', want: true },
    { path: '${jwt:sub}/${jwt:sub|hash}/*', want: true },
    { path: '${issuer}/${jwt:sub}/${param:dir}', want: true },
    { path: '${jwt:sub|lower}/*', want: false },
    { path: '${jwt:sub|hash}${param:one}/*', want: false },
    { path: '${jwt:sub|hash}*', want: false },
    { path: '${param:dir}/${jwt:sub|hash}/*', want: false },
    { path: '*/${jwt:sub|hash}/*', want: false },
    { path: '${date:yyyy}/*', want: false },
    { path: '${jwt:sub}/*', want: false },
    { path: '${issuer}${jwt:sub}/*', want: false },
    { path: '${issuer}-${jwt:sub}/*', want: false },
    { path: '${issuer}1${jwt:sub}/*', want: false },
    { path: '${issuer}*/${jwt:sub}/*', want: false },
    { path: '${issuer}${param:dir}/${jwt:sub}', want: false },
    { path: '${jwt:sub}${issuer}/*', want: false },
    { path: '${jwt:sub}-${issuer}/*', want: false },
    { path: '*/${issuer}/${jwt:sub}/*', want: false },
    { path: '*${issuer}/${jwt:sub}/*', want: false },
    { path: 'a*/${issuer}/${jwt:sub}/*', want: false },
    { path: '${param:dir}/${issuer}/${jwt:sub}/*', want: false },
    { path: '${jwt:sub}/*/${issuer}', want: false },
    { path: '\uE000/${jwt:sub}/*', want: false },
  ]
  for (const { path, want } of rows) t.test(path, async (t) => t.equal(separates(made(path)), want))
  const resources = [
    { resource: 'jrn:oss:*:${account}:*/${issuer}/${jwt:sub}/*', want: false },
    { resource: 'jrn:oss:*:${account}:${bucket}-${issuer}/${jwt:sub}/*', want: true },
    { resource: 'jrn:oss:${issuer}:${account}:${bucket}/${jwt:sub}/*', want: false },
    { resource: '${bucket}/${issuer}/${jwt:sub}', want: false },
    { resource: '*', want: false },
  ]
  for (const { resource, want } of resources) {
    t.test(resource, async (t) => {
      const whole = { ...statement(''), Resource: [resource] }
      t.equal(separates(template({ params, policy: { Version: '3', Statement: [whole] } })), want)
    })
  }
})

t.test('callers of two issuers never share a key of a resource that separates them', async (t) => {
  const pieces = [
    '${jwt:sub|hash}',
    '${jwt:sub|lower}',
    '${param:org}',
    '${date:yyyy}',
    '${issuer}',
    '${jwt:sub}',
    '${param:one}',
    '${param:dir}',
    '/',
    '/',
    '/',
    '*',
    '-',
    '.',
    '1',
    'a',
  ]
  const path = fc.array(fc.constantFrom(...pieces), { minLength: 2, maxLength: 7 }).map((list) => list.join(''))
  const value = fc.stringMatching(/^[a1p-][a1pw.-]{0,2}$/)
  const dir = fc.array(value, { minLength: 1, maxLength: 3 }).map((list) => list.join('/'))
  const who = fc.record({ issuer: fc.constantFrom('app', 'app1', 'a', 'web'), sub: value, one: value, dir })
  const two = fc.tuple(who, who).filter(([first, second]) => first.issuer !== second.issuer)
  const fillers = fc.array(fc.constantFrom('a', '1', '/', 'app', 'web/', ''), { minLength: 7, maxLength: 7 })
  let separated = 0
  let shared = 0
  const property = fc.property(path, two, fillers, (path, callers, fillers) => {
    const template = made(path)
    const policies = callers.map(({ issuer, sub, one, dir }) => {
      const grant = fillIn(template, { caller: caller({ sub, org: 'a' }, issuer), params: { one, dir } }, settings)
      return policySchema.parse(JSON.parse(grant.policy))
    })
    // A key of the first, with something in the place of each wildcard.
    const [, prefix = '', pattern = ''] = /^(jrn:oss:)\*(.*)$/u.exec(policies[0]?.Statement[0]?.Resource[0] ?? '') ?? []
    const key = pattern.split('*').reduce((before, after, index) => `${before}${fillers[index - 1]}${after}`)
    const both = allowedByAll(policies, { action: 'oss:PutObject', resource: `${prefix}cn-north-1${key}` })
    if (separates(template)) separated++
    else if (both) shared++
    return !(both && separates(template))
  })
  fc.assert(property, { numRuns: 2000 })
  t.ok(separated > 100, 'some templates separate')
  t.ok(shared > 10, 'callers share keys of resources that do not')
})
