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
const more = (request: ReturnType<typeof sts>, text: string) => ({ ...request, payload: request.payload + text })
const statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }
const document = (Action: unknown, Resource: unknown, more: object = {}) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource, ...more }] })

t.test('a restriction never opens more, and is never left out', async (t) => {
  const { app, asked } = await build(t)
  const get = 'oss:GetObject'
  const own = 'users/alice/'
  const arn = 'arn:aws:s3:::test-app'
  const good = document('s3:GetObject', `${arn}/${own}a/*`)
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
    { name: 'a form that denies', request: sts(document('s3:GetObject', '*', { Effect: 'Deny' })) },
    { name: 'a form with NotResource', request: sts(document('s3:GetObject', '*', { NotResource: 'x' })) },
    { name: 'a form with a principal', request: sts(document('s3:GetObject', '*', { Principal: '*' })) },
    { name: 'a form with an action in capitals', request: sts(document('S3:GetObject', '*')) },
    { name: 'a form with an action in small letters', request: sts(document('s3:getobject', '*')) },
    { name: 'a form with a part of an action', request: sts(document('s3:Get*', '*')) },
    { name: 'a form with an action of another service', request: sts(document(['s3:GetObject', 'iam:*'], '*')) },
    { name: 'a form with a member of every object', request: sts(document('constructor', '*')) },
    { name: 'a form with no action', request: sts(document([], '*')) },
    { name: 'a form with a number', request: sts(document(1, '*')) },
    { name: 'a form with nested actions', request: sts(document([['s3:GetObject']], '*')) },
    { name: 'a form with one key', request: sts(document('s3:GetObject', `${arn}/${own}a`)) },
    { name: 'a form with the whole bucket', request: sts(document('s3:GetObject', `${arn}/*`)) },
    { name: 'a form with the bucket itself', request: sts(document('s3:GetObject', arn)) },
    { name: 'a form with a star for the bucket', request: sts(document('s3:GetObject', `arn:aws:s3:::*/${own}*`)) },
    { name: 'a form with two stars', request: sts(document('s3:GetObject', `${arn}/${own}a*b*`)) },
    { name: "a form with AWS's wildcard", request: sts(document('s3:GetObject', `${arn}/${own}?*`)) },
    { name: "a form with AWS's variable", request: sts(document('s3:GetObject', `${arn}/${own}\${aws:userid}/*`)) },
    { name: 'a form with a JRN', request: sts(document('s3:GetObject', `jrn:oss:*:*:test-app/${own}*`)) },
    {
      name: 'a form with two statements',
      request: sts(JSON.stringify({ Version: '2012-10-17', Statement: [1, 2].map(() => statement) })),
    },
    {
      name: 'a form of another version',
      request: sts(JSON.stringify({ Version: '2008-10-17', Statement: [statement] })),
    },
    { name: 'a form of no version', request: sts(JSON.stringify({ Statement: [statement] })) },
    {
      name: 'a form with an action twice',
      request: sts(
        `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Action":"s3:*","Resource":"*"}}`,
      ),
    },
    { name: 'a form without end', request: sts('['.repeat(2000)) },
    { name: 'a form that is nested', request: sts(`${'['.repeat(900)}${']'.repeat(900)}`) },
    { name: 'a form that is too long', request: sts(document('s3:GetObject', '*', { Sid: 'x'.repeat(2048) })) },
    { name: 'two policies', request: more(sts(good), `&Policy=${encodeURIComponent(good)}`) },
    { name: 'a policy in small letters', request: more(sts(good), `&policy=${encodeURIComponent(good)}`) },
    { name: 'a policy by its ARN', request: more(sts(good), '&PolicyArns.member.1.arn=arn:aws:iam::aws:policy/x') },
    { name: 'a policy in the query', request: { ...sts(good), url: '/v1/aws/sts?Policy=x' } },
    ...Object.entries({ urls: { operation: 'GetObject' }, posts: { maxBytes: 1 } }).map(([kind, body]) => ({
      name: `a restriction of presigned ${kind}`,
      request: { ...vend({ key: `${own}a`, ...body, restrictTo: { prefix: own } }), url: `/v1/presigned-${kind}` },
    })),
    { name: 'a new session of a neighbour', request: vend({ fresh: true, restrictTo: { prefix: 'users/bob/' } }) },
    { name: 'a prefix in another form of Unicode', request: vend({ restrictTo: { prefix: `${own}e\u0301/` } }) },
    { name: 'a prefix in full-width letters', request: vend({ restrictTo: { prefix: 'ｕｓｅｒｓ/alice/' } }) },
    { name: 'a prefix with half a pair', request: vend({ restrictTo: { prefix: `${own}\ud83d` } }) },
    { name: 'a prefix with a dot at its end', request: vend({ restrictTo: { prefix: `${own}a/.` } }) },
    { name: 'an action in small letters', request: vend({ restrictTo: { actions: ['oss:getobject'] } }) },
    { name: 'an action in the words of AWS', request: vend({ restrictTo: { actions: ['s3:GetObject'] } }) },
    { name: 'a member of every object', request: vend({ restrictTo: { actions: ['constructor'] } }) },
    { name: 'many actions', request: vend({ restrictTo: { actions: Array.from({ length: 17 }, () => get) } }) },
    {
      name: 'a restriction in the prototype',
      request: vend('{"policy":"user-files","__proto__":{"restrictTo":{"prefix":"users/alice/a/"}}}'),
    },
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
