import t from 'tap'
import { ossAllows, stsAllows } from '../../../sandbox/iam/evaluate.ts'
import type { Statement } from '../../../sandbox/iam/policy.ts'

type Row = Readonly<{ name: string; statements: readonly Partial<Statement>[]; oss: boolean; sts: boolean }>

const resource = { service: 'oss', region: 'cn-north-1', account: '111111111111', resource: 'test-app/users/alice/a:b' }
const JRN = 'jrn:oss:cn-north-1:111111111111:test-app/users/alice/a:b'
const wanted = { action: 'oss:PutObject', resource }
const on = (...Resource: string[]) => [{ Resource }]
const both = (name: string, statements: Row['statements'], allowed: boolean): Row => {
  return { name, statements, oss: allowed, sts: allowed }
}

const rows: readonly Row[] = [
  both('no statement', [], false),
  both('its name', on(JRN), true),
  both('everything', on('*'), true),
  both('another action', [{ Action: ['oss:GetObject'] }], false),
  both('a star in the action', [{ Action: ['oss:*'] }], true),
  both('a star in the action of another service', [{ Action: ['sts:*'] }], false),
  both('an action in other capitals', [{ Action: ['oss:putobject'] }], false),
  both('one action of two', [{ Action: ['oss:GetObject', 'oss:PutObject'] }], true),
  both('one resource of two', on('jrn:oss:*:*:other/*', JRN), true),
  both('action and resource in different statements', [{ Action: ['oss:GetObject'] }, ...on('jrn:oss:*:*:b')], false),
  both('any region, any account', on('jrn:oss:*:*:test-app/*'), true),
  both('another region', on('jrn:oss:cn-east-2:111111111111:test-app/*'), false),
  both('another account', on('jrn:oss:*:222222222222:test-app/*'), false),
  both('another service', on('jrn:vm:*:*:*'), false),
  both('a star for the service', on('jrn:*:*:*:*'), false),
  both('half a region', on('jrn:oss:cn-*:111111111111:test-app/*'), false),
  both('half an account', on('jrn:oss:*:1*:test-app/*'), false),
  both('a neighbour', on('jrn:oss:*:*:test-app/users/bob/*'), false),
  both('a folder with the same beginning', on('jrn:oss:*:*:test-app/users/alice2/*'), false),
  both('a star that matches slashes', on('jrn:oss:*:*:test-app/*a:b'), true),
  both('a star in the bucket', on('jrn:oss:*:*:test-*/users/alice/*'), true),
  both('the bucket, not its objects', on('jrn:oss:*:*:test-app'), false),
  both('a question mark', on('jrn:oss:*:*:test-app/users/alice/a?b'), false),
  both('a star for the region does not reach into the key', on('jrn:oss:*:b'), false),
  both('too few parts', on('jrn:oss:*'), false),
  both('no JRN', on('test-app/*'), false),
  { name: 'a Deny beside it', statements: [{}, { Effect: 'Deny' }], oss: true, sts: false },
  both('a Deny alone', [{ Effect: 'Deny' }], false),
  both('a Deny on something else', [{}, { Effect: 'Deny', Resource: ['jrn:oss:*:*:other/*'] }], true),
  { name: 'an Allow with a Condition', statements: [{ Condition: { a: 1 } }], oss: true, sts: false },
  {
    name: 'a Deny with a Condition beside it',
    statements: [{}, { Effect: 'Deny', Condition: { a: 1 } }],
    oss: true,
    sts: false,
  },
]

for (const { name, statements, oss, sts } of rows) {
  t.test(name, async (t) => {
    const Statement = statements.map((one): Statement => {
      return { Effect: 'Allow', Action: ['oss:PutObject'], Resource: ['*'], ...one }
    })
    t.equal(ossAllows([{ Version: '3', Statement }], wanted), oss, 'OSS')
    t.equal(stsAllows([{ Version: '3', Statement }], wanted), sts, 'STS')
    const apart = Statement.map((one) => ({ Version: '3' as const, Statement: [one] }))
    t.equal(ossAllows(apart, wanted), oss, 'OSS, in policies of one statement')
    t.equal(stsAllows(apart, wanted), sts, 'STS, in policies of one statement')
  })
}
