import t from 'tap'
import { VendError } from '../../../src/errors.ts'
import { inTermsOfPolicy, restrictionOfAws } from '../../../src/policy/grant/aws-session-policy.ts'
import { refusal } from '../../helpers/templates.ts'

const good = { Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::test-app/users/alice/*'] }
const text = (changes: object = {}, document: object = {}) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ ...good, ...changes }], ...document })

t.test('a policy of one statement is a restriction', async (t) => {
  const actions = ['oss:GetObject']
  const where = { bucket: 'test-app', prefix: 'users/alice/' }
  const rows = [
    { name: 'actions on a prefix', policy: text(), want: { actions, ...where } },
    {
      name: 'texts for lists',
      policy: text({ Action: 's3:GetObject', Resource: good.Resource[0] }),
      want: { actions, ...where },
    },
    {
      name: 'a statement without its list, and names',
      policy: text({}, { Id: 'x', Statement: { Sid: 'y', ...good } }),
      want: { actions, ...where },
    },
    {
      name: 'another partition',
      policy: text({ Resource: 'arn:aws-cn:s3:::test-app/users/alice/*' }),
      want: { actions, ...where },
    },
    { name: 'all actions on a prefix', policy: text({ Action: 's3:*' }), want: { actions: undefined, ...where } },
    { name: 'actions on everything', policy: text({ Resource: '*' }), want: { actions } },
    { name: 'actions on all of S3', policy: text({ Resource: 'arn:aws:s3:::*' }), want: { actions } },
    {
      name: 'an action of the bucket',
      policy: text({ Action: 's3:ListBucket', Resource: '*' }),
      want: { actions: ['oss:ListBucket'] },
    },
    // The next is refused by `restrict`: the prefix is empty, has a wildcard, or the actions and the prefix are missing.
    {
      name: 'a whole bucket',
      policy: text({ Resource: 'arn:aws:s3:::test-app/*' }),
      want: { actions, bucket: 'test-app', prefix: '' },
    },
    {
      name: 'a wildcard in the middle',
      policy: text({ Resource: 'arn:aws:s3:::test-app/*/a*' }),
      want: { actions, bucket: 'test-app', prefix: '*/a' },
    },
    { name: 'everything', policy: text({ Action: '*', Resource: '*' }), want: { actions: undefined } },
  ]
  for (const { name, policy, want } of rows) t.test(name, async (t) => t.strictSame(restrictionOfAws(policy), want))
})

t.test('anything else is refused in plain words, and never quoted', async (t) => {
  const shape = /Version 2012-10-17 and one Statement/u
  const rows = [
    { name: 'no JSON', policy: '{', want: /is not JSON/u },
    { name: 'null', policy: 'null', want: shape },
    {
      name: 'two members of one name',
      policy: text().replace('{"Effect"', '{"Effect":"Allow","Effect"'),
      want: /two members/u,
    },
    { name: 'another version', policy: text({}, { Version: '2008-10-17' }), want: shape },
    { name: 'the language of JD Cloud', policy: text({}, { Version: '3' }), want: shape },
    { name: 'two statements', policy: text({}, { Statement: [good, good] }), want: shape },
    { name: 'no statement', policy: text({}, { Statement: [] }), want: shape },
    { name: 'a Deny', policy: text({ Effect: 'Deny' }), want: shape },
    { name: 'a condition', policy: text({ Condition: { StringLike: { 's3:prefix': 'SECRET' } } }), want: shape },
    { name: 'NotAction', policy: text({ Action: undefined, NotAction: 's3:PutObject' }), want: shape },
    { name: 'NotResource', policy: text({ Resource: undefined, NotResource: '*' }), want: shape },
    { name: 'a principal', policy: text({ Principal: '*' }), want: shape },
    {
      name: 'an action that OSS has not',
      policy: text({ Action: ['s3:GetObject', 's3:GetObjectTagging'] }),
      want: /actions of S3/u,
    },
    { name: 'a wildcard in an action', policy: text({ Action: 's3:Get*' }), want: /actions of S3/u },
    { name: 'an action in other letters', policy: text({ Action: 's3:getobject' }), want: /actions of S3/u },
    { name: 'an action of JD Cloud', policy: text({ Action: 'oss:GetObject' }), want: /actions of S3/u },
    { name: 'a member of every object', policy: text({ Action: 'toString' }), want: /actions of S3/u },
    { name: 'an exact key', policy: text({ Resource: 'arn:aws:s3:::test-app/SECRET' }), want: /one Resource/u },
    { name: 'a bucket', policy: text({ Resource: 'arn:aws:s3:::test-app' }), want: /one Resource/u },
    { name: 'several resources', policy: text({ Resource: [...good.Resource, '*'] }), want: /one Resource/u },
    {
      name: 'several, the first of which is any',
      policy: text({ Resource: ['*', ...good.Resource] }),
      want: /one Resource/u,
    },
    { name: 'a JRN', policy: text({ Resource: 'jrn:oss:*:1:test-app/a/*' }), want: /one Resource/u },
    { name: 'a region', policy: text({ Resource: 'arn:aws:s3:cn-north-1::test-app/a/*' }), want: /one Resource/u },
  ]
  for (const { name, policy, want } of rows) {
    t.test(name, async (t) => {
      const refused = refusal(() => restrictionOfAws(policy))
      t.match(refused, { code: 'invalid_request', errors: [{ pointer: '/Policy', detail: want }] })
      t.notMatch(JSON.stringify(refused), 'SECRET')
    })
  }
})

t.test('a refused restriction is told in terms of the policy', async (t) => {
  const at = (...pointers: string[]) =>
    new VendError('invalid_request', { errors: pointers.map((pointer) => ({ pointer, detail: 'd' })) })
  const told = inTermsOfPolicy(at('/restrictTo', '/restrictTo/actions/1', '/restrictTo/prefix'))
  t.strictSame(
    told.errors?.map(({ pointer }) => pointer),
    ['/Policy', '/Policy/Action/1', '/Policy/Resource'],
  )
  for (const other of [at('/RoleArn'), new VendError('rate_limited', { retryAfterSeconds: 3 })]) {
    t.equal(inTermsOfPolicy(other), other)
  }
})
