import fc from 'fast-check'
import t from 'tap'
import { build } from '../helpers/build.ts'
import { claims, mint } from '../helpers/tokens.ts'

const token = mint(claims({ scope: 'oss.upload oss.files' }))
const vend = (body: Readonly<Record<string, unknown>> | string, bearer = token) => ({
  method: 'POST' as const,
  url: '/v1/credentials',
  headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
  payload: typeof body === 'string' ? body : JSON.stringify({ policy: 'user-files', ...body }),
})
const container = (query: string) => ({
  method: 'GET' as const,
  url: `/v1/aws/container-credentials/user-files?${query}`,
  headers: { authorization: token },
})
const sts = (Policy: string) => ({
  method: 'POST' as const,
  url: '/v1/aws/sts',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  payload: new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: 'arn:aws:iam::000000000000:role/user-files',
    RoleSessionName: 'build-7',
    WebIdentityToken: token,
    Policy,
  }).toString(),
})
const document = (Action: unknown, Resource: unknown, more: object = {}) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource, ...more }] })

t.test('a restriction never opens more, and is never left out', async (t) => {
  const { app, asked } = await build(t)
  const get = 'oss:GetObject'
  const own = 'users/alice/'
  const arn = 'arn:aws:s3:::test-app'
  const rows = [
    { name: 'an action more', request: vend({ restrictTo: { actions: [get, 'oss:ListBucket'] } }) },
    { name: 'all actions', request: vend({ restrictTo: { actions: ['*'] } }) },
    { name: 'an action of another service', request: vend({ restrictTo: { actions: ['iam:*'] } }) },
    { name: 'no action', request: vend({ restrictTo: { actions: [], prefix: own } }) },
    { name: 'no restriction', request: vend({ restrictTo: {} }) },
    { name: 'null', request: vend({ restrictTo: null }) },
    { name: 'actions that are null', request: vend({ restrictTo: { actions: null, prefix: own } }) },
    { name: 'a prefix that is null', request: vend({ restrictTo: { actions: [get], prefix: null } }) },
    { name: 'a prefix that is empty', request: vend({ restrictTo: { actions: [get], prefix: '' } }) },
    { name: 'a list of prefixes', request: vend({ restrictTo: { prefix: [own, 'users/bob/'] } }) },
    { name: 'the folder above', request: vend({ restrictTo: { prefix: 'users/' } }) },
    { name: 'the folder without its slash', request: vend({ restrictTo: { prefix: 'users/alice' } }) },
    { name: 'a neighbour', request: vend({ restrictTo: { prefix: 'users/bob/' } }) },
    { name: 'a neighbour by a path that climbs', request: vend({ restrictTo: { prefix: `${own}../bob/` } }) },
    { name: 'a neighbour by an encoded path', request: vend({ restrictTo: { prefix: `${own}%2e%2e/bob/` } }) },
    { name: 'a wildcard', request: vend({ restrictTo: { prefix: `${own}*` } }) },
    { name: "AWS's wildcard", request: vend({ restrictTo: { prefix: `${own}?` } }) },
    { name: 'a variable of templates', request: vend({ restrictTo: { prefix: `${own}\${jwt:sub}` } }) },
    { name: 'the end of a resource', request: vend({ restrictTo: { prefix: `${own}","jrn:oss:*:*:*/` } }) },
    { name: 'a line end', request: vend({ restrictTo: { prefix: `${own}\n` } }) },
    { name: 'a bucket', request: vend({ restrictTo: { prefix: own, bucket: 'test-app' } }) },
    { name: 'a misspelled field', request: vend({ restrictTo: { prefix: own, action: [get] } }) },
    { name: 'a misspelled restriction', request: vend({ restrict_to: { prefix: own } }) },
    {
      name: 'two restrictions',
      request: vend(`{"policy":"user-files","restrictTo":{"prefix":"${own}a/"},"restrictTo":{"prefix":"${own}"}}`),
    },
    {
      name: 'two prefixes',
      request: vend(`{"policy":"user-files","restrictTo":{"prefix":"${own}a/","prefix":"${own}"}}`),
    },
    { name: 'a query with two prefixes', request: container(`restrictTo.prefix=${own}a/&restrictTo.prefix=${own}`) },
    { name: 'a query with a misspelled field', request: container(`restrictTo.prefixes=${own}a/`) },
    { name: 'a query in brackets', request: container(`restrictTo[prefix]=${own}a/`) },
    { name: 'a query with an object', request: container('restrictTo={"prefix":"x"}') },
    { name: 'a query with a space for a comma', request: container('restrictTo.actions=oss:GetObject+oss:PutObject') },
    { name: 'a form with a neighbour', request: sts(document('s3:*', `${arn}/users/bob/*`)) },
    { name: 'a form with another bucket', request: sts(document('s3:*', `arn:aws:s3:::other/${own}*`)) },
    { name: 'a form with two resources', request: sts(document('s3:*', [`${arn}/${own}a/*`, `${arn}/${own}*`])) },
    { name: 'a form with a condition', request: sts(document('s3:GetObject', '*', { Condition: {} })) },
    { name: 'a form with NotAction', request: sts(document('s3:GetObject', '*', { NotAction: 's3:PutObject' })) },
    { name: 'a form that allows all', request: sts(document('*', '*')) },
    { name: 'an empty form', request: sts('') },
  ]
  for (const { name, request } of rows) {
    t.test(name, async (t) => {
      t.equal((await app.inject(request)).statusCode, 400)
      t.equal(asked.length, 0)
    })
  }
})

t.test('a session is found again for the same restriction alone', async (t) => {
  const { app, asked } = await build(t)
  const bodies = [
    {},
    { restrictTo: { actions: ['oss:GetObject'] } },
    { restrictTo: { actions: ['oss:GetObject', 'oss:PutObject'] } },
    { restrictTo: { prefix: 'users/alice/a' } },
    { restrictTo: { prefix: 'users/alice/a/' } },
    { restrictTo: { prefix: 'users/alice/a/', actions: ['oss:GetObject'] } },
  ]
  for (const body of bodies) {
    const before = asked.length
    const first = (await app.inject(vend(body))).json()
    t.equal(asked.length, before + 1, JSON.stringify(body))
    t.strictSame((await app.inject(vend(body))).json().grant, first.grant)
    t.equal(asked.length, before + 1, 'the second is the same session')
    t.strictSame(
      [
        ...new Set(
          JSON.parse(asked.at(-1)?.policy ?? '').Statement.flatMap(({ Resource }: { Resource: string[] }) => Resource),
        ),
      ],
      first.grant.resources,
      'the answer shows what STS was asked for',
    )
  }
  t.equal(new Set(asked.map(({ roleSessionName }) => roleSessionName)).size, 1, 'under one name for the audit')
  const bob = mint(claims({ sub: 'bob', scope: 'oss.files' }))
  t.equal((await app.inject(vend({ restrictTo: { prefix: 'users/alice/a/' } }, bob))).statusCode, 400)
})

t.test('nothing of a restriction stands in the log', async (t) => {
  const { app, logs } = await build(t)
  await app.inject(vend({ restrictTo: { prefix: 'users/alice/SECRET/' } }))
  await app.inject(vend({ restrictTo: { prefix: 'users/SECRET/', actions: ['SECRET'] } }))
  await app.inject(container('restrictTo.prefix=SECRET'))
  await app.inject(sts(document('SECRET', 'SECRET')))
  t.ok(logs.lines().length >= 4)
  t.notMatch(logs.text(), 'SECRET')
})

t.test('whatever the restriction is, STS is asked for nothing outside of the own folder', async (t) => {
  const { app, asked } = await build(t)
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc
      .array(fc.constantFrom('users', 'alice', 'bob', '/', '/', '*', '..', '?', 'a', '%2f'), { maxLength: 8 })
      .map((all) => all.join('')),
    fc.constantFrom('users/alice/', 'users/alice/a', 'users/alice/a/b/'),
  )
  const actions = fc.array(fc.constantFrom('oss:GetObject', 'oss:PutObject', 'oss:ListBucket', 'oss:*', '*'), {
    maxLength: 3,
  })
  await fc.assert(
    fc.asyncProperty(fc.record({ prefix: text, actions }, { requiredKeys: [] }), async (restrictTo) => {
      const { statusCode } = await app.inject(vend({ restrictTo }))
      if (statusCode !== 200 && statusCode !== 400) throw new Error(`${statusCode}`)
    }),
    { numRuns: 800 },
  )
  t.ok(asked.length > 5, `${asked.length} sessions`)
  for (const { policy } of asked) {
    for (const { Action, Resource } of JSON.parse(policy).Statement) {
      for (const resource of Resource) {
        t.ok(
          resource.startsWith('jrn:oss:*:111111111111:test-app/users/alice/') &&
            resource.indexOf('*', 9) === resource.length - 1,
        )
      }
      t.notMatch(Action.join(), /ListBucket|\*/u)
    }
  }
})
