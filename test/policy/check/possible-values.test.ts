import t from 'tap'
import { possibleValues } from '../../../src/policy/check/possible-values.ts'
import { compileResource } from '../../../src/policy/template/variables.ts'
import { template } from '../../helpers/templates.ts'

const ISSUERS = ['app', 'partner', 'staff']
const TENANTS = { acme: 'east', 'acme-2': 'east', beta: 'west', 'not safe': 'east' }

const rows: { name: string; variable: string; parts?: Record<string, unknown>; want: readonly string[] | undefined }[] =
  [
    { name: 'a claim', variable: 'jwt:sub', want: undefined },
    { name: 'a hash', variable: 'jwt:sub|hash', want: undefined },
    { name: 'a date', variable: 'date:yyyy', want: undefined },
    { name: 'the issuer that is named', variable: 'issuer', want: ['app'] },
    { name: 'any issuer', variable: 'issuer', parts: { allow: { claims: { scope: 'x' } } }, want: ISSUERS },
    {
      name: 'the issuers of alternatives',
      variable: 'issuer',
      parts: { allow: { any: [{ issuer: 'partner' }, { issuer: 'staff' }] } },
      want: ['partner', 'staff'],
    },
    {
      name: 'a required value',
      variable: 'jwt:kind',
      parts: { allow: { claims: { kind: { equals: 'a' } } } },
      want: ['a'],
    },
    { name: 'a required number', variable: 'jwt:n', parts: { allow: { claims: { n: { equals: 7 } } } }, want: ['7'] },
    {
      name: 'one of several required values, without those that cannot enter a policy',
      variable: 'jwt:kind',
      parts: { allow: { claims: { kind: ['a', 'b', 'a b', true, 7, 'a'] } } },
      want: ['a', 'b', '7'],
    },
    {
      name: 'a required value of another claim',
      variable: 'jwt:kind',
      parts: { allow: { claims: { 'kind.of': 'a' } } },
      want: undefined,
    },
    {
      name: 'a required value in one alternative',
      variable: 'jwt:kind',
      parts: { allow: { any: [{ claims: { kind: 'a' } }, { issuer: 'app' }] } },
      want: undefined,
    },
    {
      name: 'a transformed claim',
      variable: 'jwt:kind|lower',
      parts: { allow: { claims: { kind: ['A'] } } },
      want: undefined,
    },
    {
      name: 'a condition without a list',
      variable: 'jwt:kind',
      parts: { allow: { claims: { kind: { matches: 'a|b' } } } },
      want: undefined,
    },
    {
      name: 'the claim that chooses the target',
      variable: 'jwt:tenant',
      parts: { target: { from: 'jwt:tenant', map: TENANTS } },
      want: ['acme', 'acme-2'],
    },
    {
      name: 'another claim than the one that chooses the target',
      variable: 'jwt:sub',
      parts: { target: { from: 'jwt:tenant', map: TENANTS } },
      want: undefined,
    },
    { name: 'a parameter', variable: 'param:p', parts: { params: { p: {} } }, want: undefined },
    {
      name: 'the parameter that chooses the target',
      variable: 'param:p',
      parts: { params: { p: {} }, target: { from: 'param:p', map: TENANTS } },
      want: ['acme', 'acme-2'],
    },
    {
      name: 'a choice of words',
      variable: 'param:p',
      parts: { params: { p: { pattern: 'a-b|c_1|c_1' } } },
      want: ['a-b', 'c_1'],
    },
    ...['a|b?', 'a.b|c', '(a|b)', '[ab]|c', 'a|', '\\w|b'].map((pattern) => ({
      name: `the pattern ${pattern}`,
      variable: 'param:p',
      parts: { params: { p: { pattern } } },
      want: undefined,
    })),
  ]

for (const { name, variable, parts = {}, want } of rows) {
  t.test(`${name} has ${want ? 'these values' : 'any value'}`, async (t) => {
    const [part] = compileResource(`\${${variable}}`)
    if (!part) throw new Error('no variable')
    t.strictSame(possibleValues(part, template(parts), { target: 'east', issuers: ISSUERS }), want)
  })
}
