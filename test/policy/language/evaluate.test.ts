import t from 'tap'
import type { Policy, Statement } from '../../../src/policy/language/document.ts'
import { allowedByAll, evaluate } from '../../../src/policy/language/evaluate.ts'

const ACCOUNT = '111111111111'
const allow = (Action: string[], Resource: string[]): Statement => ({ Effect: 'Allow', Action, Resource })
const deny = (Action: string[], Resource: string[]): Statement => ({ Effect: 'Deny', Action, Resource })
const policy = (...Statement: Statement[]): Policy => ({ Version: '3', Statement })
const object = (key: string, bucket = 'test-app') => `jrn:oss:cn-north-1:${ACCOUNT}:${bucket}/${key}`
const put = (resource: string) => ({ action: 'oss:PutObject', resource })

t.test('resources are matched part by part', async (t) => {
  const rows = [
    { pattern: `jrn:oss:*:${ACCOUNT}:test-app/*`, resource: object('a'), want: true },
    { pattern: `jrn:oss:*:${ACCOUNT}:test-app/*`, resource: object('a', 'other'), want: false },
    { pattern: `jrn:oss:*:${ACCOUNT}:test-app/*`, resource: object('a', 'test-app2'), want: false },
    { pattern: `jrn:oss:*:${ACCOUNT}:test-app/*`, resource: `jrn:oss:cn-north-1:${ACCOUNT}:test-app`, want: false },
    { pattern: `jrn:oss:*:${ACCOUNT}:test-app`, resource: object('a'), want: false },
    { pattern: `jrn:oss:*:*:test-app/*`, resource: object('a'), want: true },
    { pattern: `jrn:oss:*:222222222222:test-app/*`, resource: object('a'), want: false },
    { pattern: `jrn:oss:cn-south-1:${ACCOUNT}:test-app/*`, resource: object('a'), want: false },
    // JD Cloud documents no * in a part of a region or an account.
    { pattern: `jrn:oss:cn-*:${ACCOUNT}:test-app/*`, resource: object('a'), want: false },
    { pattern: `jrn:oss:**:${ACCOUNT}:test-app/*`, resource: object('a'), want: false },
    { pattern: 'jrn:oss:*:1*:test-app/*', resource: object('a'), want: false },
    // A * in the region must not reach over the account and the bucket into the key.
    { pattern: 'jrn:oss:*:test-app/*', resource: object('a'), want: false },
    { pattern: `jrn:oss:*:2:other/a`, resource: `jrn:oss:cn:${ACCOUNT}:test-app/x:2:other/a`, want: false },
    { pattern: `jrn:oss:*:${ACCOUNT}:other/*`, resource: object(`:${ACCOUNT}:other/a`), want: false },
    { pattern: `jrn:oss:*:*:other/*`, resource: object('x:y:other/a'), want: false },
    { pattern: 'jrn:oss:*', resource: object('a'), want: false },
    { pattern: 'jrn:*', resource: object('a'), want: false },
    { pattern: 'jrn:*:*:*:*', resource: object('a'), want: false },
    { pattern: 'jrn:vm:*:*:*', resource: object('a'), want: false },
    { pattern: 'JRN:oss:*:*:*', resource: object('a'), want: false },
    { pattern: 'jrn:oss:::test-app/*', resource: object('a'), want: false },
    { pattern: 'jrn:oss:*:*:*', resource: object('a'), want: true },
    { pattern: '*', resource: object('a'), want: true },
    { pattern: '**', resource: object('a'), want: false },
    { pattern: '', resource: object('a'), want: false },
    { pattern: `jrn:oss:*:${ACCOUNT}:test-app/*`, resource: 'test-app/a', want: false },
    { pattern: `jrn:oss:*:${ACCOUNT}:test-app/a:b`, resource: object('a:b'), want: true },
    { pattern: `jrn:oss:*:${ACCOUNT}:test-app/*`, resource: object('a\nb'), want: true },
    { pattern: `jrn:oss:*:${ACCOUNT}:test-app/u/*`, resource: object('u2/a'), want: false },
    { pattern: `jrn:oss:*:${ACCOUNT}:test-app/u/*`, resource: object('u'), want: false },
    { pattern: `jrn:oss:*:${ACCOUNT}:test-app/u/*`, resource: object('u/../v'), want: true },
  ]
  for (const { pattern, resource, want } of rows) {
    t.test(`${pattern} on ${JSON.stringify(resource)}`, async (t) => {
      t.strictSame(
        evaluate(policy(allow(['oss:PutObject'], [pattern])), put(resource)),
        want ? { allowed: true, statement: 0 } : { allowed: false },
      )
    })
  }
})

t.test('actions', async (t) => {
  const rows = [
    { pattern: 'oss:PutObject', action: 'oss:PutObject', want: true },
    { pattern: 'oss:*', action: 'oss:PutObject', want: true },
    { pattern: '*', action: 'oss:PutObject', want: true },
    { pattern: 'oss:Put*', action: 'oss:PutObject', want: true },
    { pattern: 'oss:PutObject', action: 'oss:PutObjectAcl', want: false },
    { pattern: 'oss:putobject', action: 'oss:PutObject', want: false },
    { pattern: 's3:PutObject', action: 'oss:PutObject', want: false },
    { pattern: 'vm:*', action: 'oss:PutObject', want: false },
  ]
  for (const { pattern, action, want } of rows) {
    t.test(`${pattern} on ${action}`, async (t) => {
      const { allowed } = evaluate(policy(allow([pattern], ['*'])), { action, resource: object('a') })
      t.equal(allowed, want)
    })
  }
})

t.test('the decision names the statement that made it', async (t) => {
  const a = object('a')
  const rows = [
    { name: 'no statement', statements: [], honoured: { allowed: false }, ignored: { allowed: false } },
    {
      name: 'no match',
      statements: [allow(['oss:PutObject'], [object('b')]), allow(['oss:GetObject'], [a])],
      honoured: { allowed: false },
      ignored: { allowed: false },
    },
    {
      name: 'the first that allows',
      statements: [allow(['oss:GetObject'], ['*']), allow(['oss:PutObject'], [a]), allow(['*'], ['*'])],
      honoured: { allowed: true, statement: 1 },
      ignored: { allowed: true, statement: 1 },
    },
    {
      name: 'one of several actions and resources',
      statements: [allow(['oss:GetObject', 'oss:PutObject'], [object('b'), a])],
      honoured: { allowed: true, statement: 0 },
      ignored: { allowed: true, statement: 0 },
    },
    {
      name: 'deny after allow',
      statements: [allow(['*'], ['*']), deny(['oss:Put*'], [a])],
      honoured: { allowed: false, statement: 1 },
      ignored: { allowed: true, statement: 0 },
    },
    {
      name: 'deny before allow',
      statements: [deny(['*'], ['*']), allow(['*'], ['*'])],
      honoured: { allowed: false, statement: 0 },
      ignored: { allowed: true, statement: 1 },
    },
    {
      name: 'deny of something else',
      statements: [allow(['*'], ['*']), deny(['*'], [object('b')])],
      honoured: { allowed: true, statement: 0 },
      ignored: { allowed: true, statement: 0 },
    },
    {
      name: 'deny alone',
      statements: [deny(['*'], [object('b')])],
      honoured: { allowed: false },
      ignored: { allowed: false },
    },
    {
      name: 'a condition is not relied upon',
      statements: [{ ...allow(['*'], ['*']), Condition: { IpAddress: { 'jrn:SourceIp': '10.0.0.1' } } }],
      honoured: { allowed: true, statement: 0 },
      ignored: { allowed: true, statement: 0 },
    },
  ]
  for (const { name, statements, honoured, ignored } of rows) {
    t.test(name, async (t) => {
      t.strictSame(evaluate(policy(...statements), put(a), 'honoured'), honoured)
      t.strictSame(evaluate(policy(...statements), put(a)), honoured, 'which is the default')
      t.strictSame(evaluate(policy(...statements), put(a), 'ignored'), ignored)
    })
  }
})

t.test('a session may do only what both role and session policy allow', async (t) => {
  const role = policy(allow(['oss:PutObject'], [`jrn:oss:*:${ACCOUNT}:test-app/*`]))
  const session = policy(allow(['oss:PutObject', 'oss:GetObject'], [object('users/alice/*'), object('a', 'other')]))
  const keeper = policy(allow(['*'], ['*']), deny(['*'], [object('users/alice/private/*')]))
  const alice = put(object('users/alice/1'))
  const rows = [
    { name: 'both', policies: [role, session], request: alice, want: true },
    { name: 'role only', policies: [role, session], request: put(object('users/bob/1')), want: false },
    {
      name: 'session only, action',
      policies: [role, session],
      request: { ...alice, action: 'oss:GetObject' },
      want: false,
    },
    { name: 'session only, bucket', policies: [role, session], request: put(object('a', 'other')), want: false },
    { name: 'no policy at all', policies: [], request: alice, want: false },
    { name: 'one without statements', policies: [role, policy()], request: alice, want: false },
    { name: 'order does not matter', policies: [session, role], request: alice, want: true },
  ]
  for (const { name, policies, request, want } of rows) {
    t.test(name, async (t) => t.equal(allowedByAll(policies, request), want))
  }
  const kept = put(object('users/alice/private/1'))
  t.equal(allowedByAll([role, session, keeper], kept), false, 'a Deny of either')
  t.equal(allowedByAll([role, session, keeper], kept, 'ignored'), true, 'which JD Cloud may ignore')
})
