import t from 'tap'
import { fillIn } from '../../../src/policy/grant/grant.ts'
import { type Restriction, restrict } from '../../../src/policy/grant/restrict.ts'
import { caller, refusal, settings, template } from '../../helpers/templates.ts'

const jrn = (path: string) => `jrn:oss:*:111111111111:test-app${path}`
const statement = (Action: string | string[], ...paths: string[]) => ({
  Effect: 'Allow',
  Action,
  Resource: paths.map((path) => `jrn:oss:*:\${account}:\${bucket}${path}`),
})
const deny = (Action: string, ...paths: string[]) => ({ ...statement(Action, ...paths), Effect: 'Deny' })
const grantOf = (...Statement: object[]) =>
  fillIn(template({ policy: { Version: '3', Statement } }), { caller: caller({ sub: 'alice' }) }, settings)

const PUT = 'oss:PutObject'
const GET = 'oss:GetObject'
const LIST = 'oss:ListBucket'
const whole = grantOf(
  { ...statement([PUT, GET], '/users/${jwt:sub}/*'), Sid: 'own' },
  statement(GET, '/public/*', '/users/${jwt:sub}/in/new/*'),
  statement([LIST, GET], '', '/logo.png'),
)

t.test('what is left of a grant', async (t) => {
  const rows: {
    name: string
    grant?: typeof whole
    restriction: Restriction
    want: (readonly [actions: string[], ...resources: string[]])[]
  }[] = [
    {
      name: 'one action',
      restriction: { actions: [PUT] },
      want: [[[PUT], '/users/alice/*']],
    },
    {
      name: 'one action in every statement that has it',
      restriction: { actions: [GET, GET] },
      want: [
        [[GET], '/users/alice/*'],
        [[GET], '/public/*', '/users/alice/in/new/*'],
        [[GET], '', '/logo.png'],
      ],
    },
    {
      name: 'an action of the bucket, without a prefix',
      restriction: { actions: [LIST] },
      want: [[[LIST], '', '/logo.png']],
    },
    {
      name: 'a folder: statements of elsewhere go, narrower ones stay',
      restriction: { prefix: 'users/alice/in/' },
      want: [
        [[PUT, GET], '/users/alice/in/*'],
        [[GET], '/users/alice/in/new/*'],
      ],
    },
    {
      name: 'the beginning of a name',
      restriction: { prefix: 'users/alice/in/a', actions: [PUT] },
      want: [[[PUT], '/users/alice/in/a*']],
    },
    {
      name: 'the same folder',
      restriction: { prefix: 'public/' },
      want: [[[GET], '/public/*']],
    },
    {
      name: 'a listing goes, since it would show the whole bucket',
      grant: grantOf(statement([LIST, GET], '', '/*'), statement(LIST, '*')),
      restriction: { prefix: 'a/' },
      want: [[[GET], '/a/*']],
    },
    {
      name: 'an action of a wildcard',
      grant: grantOf(statement('oss:*', '/a/*')),
      restriction: { actions: [GET, PUT], prefix: 'a/b' },
      want: [[[GET, PUT], '/a/b*']],
    },
    {
      name: 'a wildcard in the middle',
      grant: grantOf(statement(GET, '/*/b/*', '/a/*')),
      restriction: { prefix: 'a/' },
      want: [[[GET], '/a/*/b/*', '/a/b/*', '/a/*']],
    },
    {
      name: 'resources of elsewhere go',
      grant: grantOf({
        ...statement(GET, '/a/*'),
        Resource: [
          'jrn:oss:*:${account}:${bucket}/a/*',
          'jrn:oss:cn-south-1:${account}:${bucket}/a/*',
          'jrn:oss:*:222222222222:${bucket}/a/*',
          'jrn:vm:*:${account}:${bucket}/a/x/*',
          'jrn:oss:*:${account}:other/a/*',
        ],
      }),
      restriction: { prefix: 'a/' },
      want: [[[GET], '/a/*']],
    },
    {
      name: 'the whole of an account',
      grant: grantOf({ ...statement(GET), Resource: '*' }, { ...statement(PUT), Resource: 'jrn:oss:*:*:*' }),
      restriction: { prefix: 'a/', actions: [GET] },
      want: [[[GET], '/a/*']],
    },
  ]
  for (const { name, grant = whole, restriction, want } of rows) {
    t.test(name, async (t) => {
      const { policy, actions, resources, prefixes, ...rest } = restrict(grant, restriction, settings)
      const Statement: { Action: string[]; Resource: string[] }[] = JSON.parse(policy).Statement
      t.strictSame(
        Statement.map(({ Action, Resource }) => [Action, ...Resource]),
        want.map(([actions, ...paths]) => [actions, ...paths.map(jrn)]),
      )
      t.strictSame(actions, [...new Set(want.flatMap(([actions]) => actions))])
      t.strictSame(resources, [...new Set(want.flatMap(([, ...paths]) => paths.map(jrn)))])
      t.notOk(prefixes.some((prefix) => !prefix.startsWith(restriction.prefix ?? '')))
      const { template, target, roleSessionName, durationSeconds } = grant
      t.strictSame(rest, { template, target, roleSessionName, durationSeconds }, 'the rest is that of the whole grant')
    })
  }
  t.test('its text for STS', async (t) =>
    t.equal(
      restrict(whole, { actions: [PUT], prefix: 'users/alice/in/' }, settings).policy,
      '{"Version":"3","Statement":[{"Sid":"own","Effect":"Allow","Action":["oss:PutObject"],"Resource":["jrn:oss:*:111111111111:test-app/users/alice/in/*"]}]}',
    ),
  )
  t.test('without a restriction, the grant itself', async (t) => t.equal(restrict(whole, undefined, settings), whole))
})

t.test('a Deny stays, as far as it is about what is left', async (t) => {
  const grant = grantOf(statement([GET, PUT], '/a/*'), deny('oss:*', '/a/kept/*'), deny(PUT, '/b/*'))
  const left = (restriction: Restriction) => JSON.parse(restrict(grant, restriction, settings).policy).Statement
  t.match(left({ actions: [GET] }), [
    { Effect: 'Allow', Action: [GET] },
    { Effect: 'Deny', Action: [GET], Resource: [jrn('/a/kept/*')] },
  ])
  t.strictSame(left({ prefix: 'a/free/' }).length, 1)
  const partly = grantOf(statement([GET, PUT], '/a/*'), deny(PUT, '/a/kept/*'))
  t.match(JSON.parse(restrict(partly, { prefix: 'a/' }, settings).policy).Statement, [
    { Effect: 'Allow', Action: [GET, PUT], Resource: [jrn('/a/*')] },
    { Effect: 'Deny', Action: [PUT], Resource: [jrn('/a/kept/*')] },
  ])
})

t.test('what is wider than the grant is refused, and told where', async (t) => {
  const denied = grantOf(statement(GET, '/a/*'), deny(GET, '/a/kept/*'))
  const rows: { name: string; grant?: typeof whole; restriction: Restriction; pointers: string[]; detail?: RegExp }[] =
    [
      { name: 'nothing', restriction: {}, pointers: [''] },
      { name: 'no actions', restriction: { actions: [], prefix: 'public/' }, pointers: ['/actions'] },
      {
        name: 'other actions',
        restriction: { actions: [GET, 'oss:DeleteObject', 'oss:DeleteBucket'] },
        pointers: ['/actions/1', '/actions/2'],
      },
      {
        name: 'wildcards',
        restriction: { actions: ['oss:*', 'oss:Get*', '*'] },
        pointers: ['/actions/0', '/actions/1', '/actions/2'],
      },
      {
        name: 'names that nobody knows, under a wildcard',
        grant: grantOf(statement('*', '/a/*')),
        restriction: { actions: ['oss:Nonsense', 'oss:*', 'iam:CreateUser', 'oss:getobject'] },
        pointers: ['/actions/0', '/actions/1', '/actions/2', '/actions/3'],
      },
      {
        name: 'names that are not in full',
        restriction: { actions: ['GetObject', 's3:GetObject'] },
        pointers: ['/actions/0', '/actions/1'],
        detail: /full name of an action, such as oss:PutObject/u,
      },
      {
        name: 'an action that only a Deny has',
        grant: grantOf(statement(GET, '/a/*'), deny(PUT, '/a/*')),
        restriction: { actions: [PUT] },
        pointers: ['/actions/0'],
      },
      {
        name: 'a listing of a prefix',
        restriction: { actions: [GET, LIST], prefix: 'public/' },
        pointers: ['/actions/1'],
        detail: /cannot limit it to a prefix/u,
      },
      { name: "a neighbour's folder", restriction: { prefix: 'users/alice2/' }, pointers: ['/prefix'] },
      { name: 'the folder above', restriction: { prefix: 'users/' }, pointers: ['/prefix'] },
      { name: 'the folder without its slash', restriction: { prefix: 'users/alice' }, pointers: ['/prefix'] },
      { name: 'a key that is open alone', restriction: { prefix: 'logo.png' }, pointers: ['/prefix'] },
      {
        name: 'an action that reaches only a part of the prefix',
        grant: grantOf(statement(GET, '/a/*'), statement(PUT, '/a/in/*')),
        restriction: { actions: [GET, PUT], prefix: 'a/' },
        pointers: ['/prefix'],
        detail: /oss:PutObject on every key/u,
      },
      {
        name: 'a prefix that only several resources together seem to fill',
        grant: grantOf(statement(GET, '/a/*/b', '/a/*c')),
        restriction: { prefix: 'a/x/' },
        pointers: ['/prefix'],
      },
      { name: 'a prefix with a Deny inside', grant: denied, restriction: { prefix: 'a/' }, pointers: ['/prefix'] },
      { name: 'a prefix under a Deny', grant: denied, restriction: { prefix: 'a/kept/x/' }, pointers: ['/prefix'] },
      {
        name: 'another bucket',
        restriction: { prefix: 'public/', bucket: 'other' },
        pointers: ['/prefix'],
        detail: /bucket/u,
      },
    ]
  for (const { name, grant = whole, restriction, pointers, detail = /./u } of rows) {
    t.test(name, async (t) => {
      const refused = refusal(() => restrict(grant, restriction, settings))
      t.match(refused, {
        code: 'invalid_request',
        errors: pointers.map((pointer) => ({ pointer: `/restrictTo${pointer}`, detail })),
      })
      t.notMatch(JSON.stringify(refused), /test-app|Nonsense|iam:/u, 'and quotes nothing')
    })
  }
})

t.test('a prefix is of what values are made of', async (t) => {
  const open = grantOf(statement(GET, '/*'))
  const bad = [
    '',
    '/',
    '/a',
    'a//b',
    'a//',
    '.',
    '..',
    'a/..',
    './a',
    'a/../b',
    'a*',
    'a?',
    '${jwt:sub}',
    'a$b',
    'a:b',
    'a b',
  ]
  const worse = [
    'a\n',
    'a\u0000',
    'a%2e',
    'a\\b',
    'a"',
    '\u3164',
    'e\u0301',
    '\ud800',
    'a'.repeat(129),
    `${'a/'.repeat(512)}b`,
  ]
  for (const prefix of [...bad, ...worse]) {
    t.match(
      refusal(() => restrict(open, { prefix }, settings)),
      { code: 'invalid_request', errors: [{ pointer: '/restrictTo/prefix', detail: /letters, digits/u }] },
      JSON.stringify(prefix),
    )
  }
  for (const prefix of ['a', 'a/', 'a/b.c', '.a', 'a/..b', 'ü/图/', 'a@b,c=d|e~f+g_h-i/']) {
    t.equal(
      refusal(() => restrict(open, { prefix }, settings)),
      undefined,
      prefix,
    )
  }
})

t.test('a policy that is too large once it is narrowed is refused', async (t) => {
  const many = grantOf(statement(GET, ...Array.from({ length: 30 }, (_, n) => `/*${n}*`), '/*'))
  t.match(
    refusal(() => restrict(many, { prefix: 'a'.repeat(100) }, settings)),
    { code: 'policy_too_large' },
  )
})
