import t from 'tap'
import { runExamples } from '../../../src/policy/check/examples.ts'
import type { Policy } from '../../../src/policy/language/document.ts'
import type { Template } from '../../../src/policy/template/template.ts'
import { settings, statement, template } from '../../helpers/templates.ts'

const allowed = 'should be refused, but is allowed'
const refused = 'should be allowed, but is refused'
const sub = { sub: 'alice' }
const failing = (made: Template, issuers: string[], role?: Policy) =>
  runExamples(made, { ...settings, issuers }, role).filter(({ held }) => !held)

t.test('failing examples are found', async (t) => {
  const rows: { name: string; parts: Record<string, unknown>; role?: Policy; want: [string, string][] }[] = [
    {
      name: 'all hold',
      parts: { examples: [{ caller: sub, can: ['PutObject users/alice/1'], cannot: ['PutObject users/bob/1'] }] },
      want: [],
    },
    {
      name: 'a failed can',
      parts: { examples: [{ caller: sub, can: ['PutObject users/alice/1', 'GetObject users/alice/1'] }] },
      want: [['examples.0.can.1', `GetObject users/alice/1: ${refused}`]],
    },
    {
      name: 'a failed cannot',
      parts: { examples: [{ caller: sub, cannot: ['PutObject users/bob/1', 'PutObject users/alice/1'] }] },
      want: [['examples.0.cannot.1', `PutObject users/alice/1: ${allowed}`]],
    },
    {
      name: 'several, each in its place',
      parts: {
        examples: [
          { caller: sub, can: ['PutObject users/alice/1'] },
          { caller: { sub: 'bob' }, can: ['PutObject users/alice/1'], cannot: ['UploadPart users/bob/1'] },
        ],
      },
      want: [
        ['examples.1.can.0', `PutObject users/alice/1: ${refused}`],
        ['examples.1.cannot.0', `UploadPart users/bob/1: ${allowed}`],
      ],
    },
    {
      name: 'a refused caller can do nothing, and the reason is shown',
      parts: {
        allow: { claims: { scope: 'up' } },
        examples: [{ caller: sub, can: ['PutObject users/alice/1'], cannot: ['PutObject users/alice/1'] }],
      },
      want: [['examples.0.can.0', `PutObject users/alice/1: ${refused}: policy_not_allowed, claim "scope" is missing`]],
    },
    {
      name: 'a caller of another issuer',
      parts: { examples: [{ caller: { sub: 'alice', issuer: 'web' }, can: ['PutObject users/alice/1'] }] },
      want: [
        [
          'examples.0.can.0',
          `PutObject users/alice/1: ${refused}: policy_not_allowed, the token's issuer is not accepted`,
        ],
      ],
    },
    {
      name: 'a missing param',
      parts: { params: { p: {} }, examples: [{ caller: sub, can: ['PutObject users/alice/1'] }] },
      want: [['examples.0.can.0', `PutObject users/alice/1: ${refused}: invalid_request, /params/p is required`]],
    },
    {
      name: 'an unsafe subject',
      parts: {
        examples: [{ caller: { sub: '*' }, can: ['PutObject users/alice/1'], cannot: ['PutObject users/a/1'] }],
      },
      want: [
        [
          'examples.0.can.0',
          `PutObject users/alice/1: ${refused}: unsafe_value, claim "sub" must be 1 to 128 letters, digits and -_.~@+=,|, and not . or .. → claim "sub" has characters that a path cannot have, or too many; use \${jwt:sub|hash}`,
        ],
      ],
    },
    {
      name: 'at another time',
      parts: {
        allow: { claims: { ends: { atLeast: 'now' } } },
        examples: [
          { caller: { sub: 'alice', ends: 1_772_323_200 }, at: '2026-02-28', can: ['PutObject users/alice/1'] },
          {
            caller: { sub: 'alice', ends: 1_772_323_200 },
            at: '2026-03-01T00:00:01Z',
            cannot: ['PutObject users/alice/1'],
          },
        ],
      },
      want: [],
    },
    {
      name: 'the role bounds what can be done',
      parts: { examples: [{ caller: sub, can: ['PutObject users/alice/1'], cannot: ['PutObject users/bob/1'] }] },
      role: {
        Version: '3',
        Statement: [{ Effect: 'Allow', Action: ['oss:PutObject'], Resource: ['jrn:oss:*:*:other/*'] }],
      },
      want: [['examples.0.can.0', `PutObject users/alice/1: ${refused}`]],
    },
    {
      name: 'a Deny in the role is believed when it takes away, and not when it keeps out',
      parts: { examples: [{ caller: sub, can: ['PutObject users/alice/1'], cannot: ['PutObject users/alice/2'] }] },
      role: {
        Version: '3',
        Statement: [
          { Effect: 'Allow', Action: ['*'], Resource: ['*'] },
          { Effect: 'Deny', Action: ['*'], Resource: ['*'] },
        ],
      },
      want: [
        ['examples.0.can.0', `PutObject users/alice/1: ${refused}`],
        ['examples.0.cannot.0', `PutObject users/alice/2: ${allowed}`],
      ],
    },
    {
      name: 'operations of the bucket',
      parts: {
        policy: {
          Version: '3',
          Statement: [{ ...statement(''), Action: 'oss:ListBucket', Resource: 'jrn:oss:*:${account}:${bucket}' }],
        },
        examples: [
          { caller: sub, can: ['ListObjectsV2', 'HeadBucket'], cannot: ['DeleteBucket', 'ListBuckets', 'ListObjects'] },
        ],
      },
      want: [['examples.0.cannot.2', `ListObjects: ${allowed}`]],
    },
    {
      name: 'a key with spaces and slashes is one key',
      parts: { examples: [{ caller: sub, cannot: ['PutObject users/alice/a b/c'] }] },
      want: [['examples.0.cannot.0', `PutObject users/alice/a b/c: ${allowed}`]],
    },
  ]
  for (const { name, parts, role, want } of rows) {
    t.test(name, async (t) => {
      const failures = failing(template(parts), ['app'], role)
      t.strictSame(
        failures.map(({ path, message }) => [path.join('.'), message.replace(/: the caller gets .*$/u, '')]),
        want,
      )
    })
  }
})

t.test("the default issuer of an example is the template's first, or the first configured", async (t) => {
  const example = [{ caller: sub, can: ['PutObject web/alice/1'] }]
  const policy = { Version: '3', Statement: [statement('${issuer}/${jwt:sub}/*')] }
  const rows = [
    { name: 'of the template', allow: { issuer: ['web', 'app'] }, fallback: 'app', want: 0 },
    { name: 'the default', allow: { claims: { sub: 'alice' } }, fallback: 'web', want: 0 },
    { name: 'another default', allow: { claims: { sub: 'alice' } }, fallback: 'app', want: 1 },
  ]
  for (const { name, allow, fallback, want } of rows) {
    t.test(name, async (t) =>
      t.equal(failing(template({ allow, policy, examples: example }), [fallback, 'other']).length, want),
    )
  }
})

t.test('a failed can says what the caller gets instead', async (t) => {
  const told = (line: string) =>
    failing(template({ examples: [{ caller: sub, can: [line] }] }), ['app']).map(({ message }) => message)
  t.strictSame(told('PutObject uploads/alice/1'), [
    `PutObject uploads/alice/1: ${refused}: the caller gets oss:PutObject on users/alice/…`,
  ])
  t.strictSame(told('PutObject /users/alice/1'), [
    `PutObject /users/alice/1: ${refused}: keys start after the bucket, without a /`,
  ])
  const examples = [{ caller: sub, can: ['PutObject x'] }]
  t.strictSame(
    failing(template({ examples, allow: { claims: { sub: 'alice' } } }), ['web', 'app']).map(({ message }) => message),
    [`PutObject x: ${refused}: the caller, of issuer web, gets oss:PutObject on users/alice/…`],
    'with several issuers, it says of which one the caller is',
  )
})
