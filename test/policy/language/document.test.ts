import t from 'tap'
import { parseJrn, policySchema } from '../../../src/policy/language/document.ts'

const statement = { Effect: 'Allow', Action: 'oss:PutObject', Resource: 'jrn:oss:*:1:b/*' }
const listed = { Effect: 'Allow', Action: ['oss:PutObject'], Resource: ['jrn:oss:*:1:b/*'] }

t.test('valid policies', async (t) => {
  const rows: { name: string; input: unknown; want: unknown }[] = [
    {
      name: 'Version "3"',
      input: { Version: '3', Statement: [statement] },
      want: { Version: '3', Statement: [listed] },
    },
    { name: 'Version 3', input: { Version: 3, Statement: [statement] }, want: { Version: '3', Statement: [listed] } },
    { name: 'lists', input: { Version: '3', Statement: [listed] }, want: { Version: '3', Statement: [listed] } },
    {
      name: 'Sid, Deny and Condition',
      input: { Version: '3', Statement: [{ ...statement, Sid: 's', Effect: 'Deny', Condition: { a: { b: 'c' } } }] },
      want: { Version: '3', Statement: [{ ...listed, Sid: 's', Effect: 'Deny', Condition: { a: { b: 'c' } } }] },
    },
  ]
  for (const { name, input, want } of rows) t.test(name, async (t) => t.strictSame(policySchema.parse(input), want))
})

t.test('invalid policies, with the place of the error', async (t) => {
  const withStatement = (changes: Record<string, unknown>) => ({
    Version: '3',
    Statement: [{ ...statement, ...changes }],
  })
  const rows: { name: string; input: unknown; want: string }[] = [
    { name: 'Version "2012-10-17"', input: { Version: '2012-10-17', Statement: [statement] }, want: 'Version' },
    { name: 'Version 3.5', input: { Version: 3.5, Statement: [statement] }, want: 'Version' },
    { name: 'Version "3.0"', input: { Version: '3.0', Statement: [statement] }, want: 'Version' },
    { name: 'no version', input: { Statement: [statement] }, want: 'Version' },
    { name: 'a Statement that is no list', input: { Version: '3', Statement: statement }, want: 'Statement' },
    { name: 'no statement', input: { Version: '3', Statement: [] }, want: 'Statement' },
    { name: 'Principal', input: withStatement({ Principal: '*' }), want: 'Statement.0 Principal' },
    { name: 'NotAction', input: withStatement({ NotAction: ['oss:GetObject'] }), want: 'Statement.0 NotAction' },
    { name: 'NotResource', input: withStatement({ NotResource: ['*'] }), want: 'Statement.0 NotResource' },
    { name: 'NotPrincipal', input: withStatement({ NotPrincipal: '*' }), want: 'Statement.0 NotPrincipal' },
    { name: 'a key in lower case', input: withStatement({ action: ['*'] }), want: 'Statement.0 action' },
    { name: 'another key at the top', input: { Version: '3', Statement: [statement], Id: 'x' }, want: ' Id' },
    { name: 'Effect in lower case', input: withStatement({ Effect: 'allow' }), want: 'Statement.0.Effect' },
    { name: 'no Effect', input: withStatement({ Effect: undefined }), want: 'Statement.0.Effect' },
    { name: 'no Action', input: withStatement({ Action: undefined }), want: 'Statement.0.Action' },
    { name: 'an empty Action', input: withStatement({ Action: '' }), want: 'Statement.0.Action' },
    { name: 'no actions', input: withStatement({ Action: [] }), want: 'Statement.0.Action' },
    { name: 'an Action that is no text', input: withStatement({ Action: [7] }), want: 'Statement.0.Action' },
    { name: 'no Resource', input: withStatement({ Resource: undefined }), want: 'Statement.0.Resource' },
    { name: 'no resources', input: withStatement({ Resource: [] }), want: 'Statement.0.Resource' },
    { name: 'a Resource in an object', input: withStatement({ Resource: { 0: '*' } }), want: 'Statement.0.Resource' },
    { name: 'a Condition that is a list', input: withStatement({ Condition: [] }), want: 'Statement.0.Condition' },
    { name: 'a list', input: [statement], want: '' },
    { name: 'text', input: JSON.stringify({ Version: '3', Statement: [statement] }), want: '' },
    { name: 'null', input: null, want: '' },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      const issues = policySchema.safeParse(input).error?.issues ?? []
      const told = issues.map((issue) =>
        [issue.path.join('.'), ...(issue.code === 'unrecognized_keys' ? issue.keys : [])].join(' '),
      )
      t.strictSame(told, [want])
    })
  }
})

t.test('the parts of a JRN', async (t) => {
  const rows = [
    { input: 'jrn:oss:*:1:b/k', want: { service: 'oss', region: '*', account: '1', resource: 'b/k' } },
    { input: 'jrn:iam::1:role/r', want: { service: 'iam', region: '', account: '1', resource: 'role/r' } },
    {
      input: 'jrn:oss:r:1:b/k:with:colons',
      want: { service: 'oss', region: 'r', account: '1', resource: 'b/k:with:colons' },
    },
    { input: 'jrn:oss:r:1:b/a\nb', want: { service: 'oss', region: 'r', account: '1', resource: 'b/a\nb' } },
    { input: 'jrn:oss:r:1:', want: undefined },
    { input: 'jrn:oss:r:1', want: undefined },
    { input: ' jrn:oss:r:1:b', want: undefined },
    { input: 'arn:aws:s3:::b', want: undefined },
    { input: '*', want: undefined },
    { input: '', want: undefined },
  ]
  for (const { input, want } of rows) t.test(JSON.stringify(input), async (t) => t.strictSame(parseJrn(input), want))
})
