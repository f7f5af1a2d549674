import t from 'tap'
import { lintTemplate } from '../../../../src/policy/check/lint/lint.ts'
import { type LintSettings, lintSubject } from '../../../../src/policy/check/lint/rule.ts'
import { RULES } from '../../../../src/policy/check/lint/rules.ts'
import { settings, statement, template } from '../../../helpers/templates.ts'

type Parts = Record<string, unknown>

const one: LintSettings = { ...settings, issuers: ['app'] }
const two: LintSettings = { ...settings, issuers: ['app', 'web'], severalIssuers: true }

const params = { x: {}, dir: { kind: 'path' }, org: { oneOf: 'jwt:orgs' }, own: { oneOf: 'jwt:sub' } }
const WRITE = ['oss:PutObject', 'oss:AbortMultipartUpload']
const policy = (...Statement: unknown[]) => ({ policy: { Version: '3', Statement } })
/** A template that may write below these keys. */
const keys = (...paths: string[]): Parts => ({
  params,
  sharedBy: ['team', 'a', 'b'],
  ...policy({
    Effect: 'Allow',
    Action: WRITE,
    Resource: paths.map((path) => `jrn:oss:*:\${account}:\${bucket}/${path}`),
  }),
})
const resource = (Resource: string): Parts => ({ params, ...policy({ Effect: 'Allow', Action: WRITE, Resource }) })
const actions = (Action: string[] | string, path = 'users/${jwt:sub}/*'): Parts =>
  policy({ ...statement(path), Action })
const element = (more: Parts): Parts => policy({ ...statement('users/${jwt:sub}/*'), ...more })
const param = (pattern: string, more: Parts = {}): Parts => ({
  ...keys('users/${jwt:sub}/${param:p}/*'),
  params: { p: { pattern, ...more } },
})
const example = (more: Parts): Parts => ({
  ...keys('users/${jwt:sub}/*'),
  params: {},
  examples: [{ caller: { sub: 'alice' }, ...more }],
})
const claims = (claims: Parts): Parts => ({ allow: { claims } })

/** For every rule, templates that trip it and similar ones that do not. */
const CASES: Record<string, { trips: Parts[]; nearly: Parts[]; settings?: LintSettings }> = {
  'foreign-resource': {
    trips: [
      resource('hello'),
      resource('jrn:iam::${account}:role/test-role'),
      resource('arn:aws:s3:::${bucket}/*'),
      resource('jrn:oss:*:222222222222:${bucket}/users/${jwt:sub}/*'),
      resource('jrn:oss:cn-east-2:${account}:${bucket}/users/${jwt:sub}/*'),
      resource('jrn:oss:*:${account}:other/users/${jwt:sub}/*'),
      resource('jrn:oss:*:${account}:${bucket}2/users/${jwt:sub}/*'),
    ],
    nearly: [
      resource('jrn:oss:*:${account}:${bucket}/users/${jwt:sub}/*'),
      resource('jrn:oss:${region}:111111111111:test-app/users/${jwt:sub}/*'),
      resource('jrn:oss:*:*:${bucket}/users/${jwt:sub}/*'),
      resource('jrn:oss:*:${account}:${bucket}/users/${jwt:sub}/a:b/*'),
      policy({ Effect: 'Allow', Action: 'oss:ListBucket', Resource: 'jrn:oss:*:${account}:test-app' }),
    ],
  },
  'wildcard-resource': {
    trips: [
      resource('*'),
      resource('**'),
      resource('jrn:oss:*:${account}:*'),
      resource('jrn:oss:*:${account}:${bucket}*/users/${jwt:sub}/*'),
    ],
    nearly: [resource('jrn:oss:*:*:${bucket}/users/${jwt:sub}/*')],
  },
  'partial-wildcard': {
    trips: ['cn-*:*', '*-1:*', '**:*', '*:1*', '*:**', '${region}*:*', '*:${account}*', '${jwt:region}*:*'].map(
      (where) => resource(`jrn:oss:${where}:\${bucket}/users/\${jwt:sub}/*`),
    ),
    nearly: ['*:*', 'cn-north-1:111111111111', '${region}:${account}', '${jwt:region}:*'].map((where) =>
      resource(`jrn:oss:${where}:\${bucket}/users/\${jwt:sub}/*`),
    ),
  },
  'whole-bucket': {
    trips: [keys('*'), keys('*.jpg'), keys('users/${jwt:sub}/*', '*')],
    nearly: [keys('a*'), keys('shared/*'), keys('users/${jwt:sub}/*')],
  },
  'open-prefix': {
    trips: [
      ...['u*', 'users*', 'users**', 'users/a*', 'users/*/a*', 'public*/x/*', 'users/a*b/*', 'users/${issuer}/a*'].map(
        (path) => keys(path),
      ),
      keys('users/${jwt:sub}/*', 'u*'),
    ],
    nearly: ['users/*', 'public/*.jpg', 'users/**', 'users/${jwt:sub}/a*', '*', 'a/u-${jwt:sub}*'].map((path) =>
      keys(path),
    ),
  },
  'variable-as-text': {
    trips: [
      claims({ sub: '${jwt:sub}' }),
      claims({ tenant: { anyOf: ['a', '${jwt:tenant}'] } }),
      claims({ '${jwt:sub}': 'alice' }),
      { allow: { any: [{ issuer: 'app' }, { claims: { team: { allOf: ['${param:x'] } } }] } },
      { allow: { issuer: ['app', '${issuer}'] } },
      param('[${]jwt:sub[}]'),
      example({ cannot: ['PutObject users/${jwt:sub}/1'] }),
      { sharedBy: 'team', ...element({ Sid: '${jwt:sub}' }) },
      { sharedBy: ['${team}'] },
      { accept: { 'shared-write': 'because ${jwt:sub} is an operator' } },
      resource('jrn:oss:{region}:${account}:${bucket}/users/${jwt:sub}/*'),
      resource('jrn:oss:$${region}:${account}:${bucket}/users/${jwt:sub}/*'),
    ],
    nearly: [
      claims({ sub: { prefix: '/org/$5/{x}' } }),
      { description: 'For ${jwt:sub}.' },
      param('[a-z]{1,40}', { description: 'goes to users/${jwt:sub}/' }),
      example({ params: { x: '${param:x}' }, cannot: ['PutObject users/bob/1'] }),
      { examples: [{ caller: { sub: '${jwt:sub}' }, cannot: ['PutObject users/bob/1'] }] },
      resource('jrn:oss:${region}:${account}:${bucket}/users/${jwt:sub}/*'),
    ],
  },
  'variable-outside-key': {
    trips: [
      resource('jrn:oss:*:${jwt:account}:${bucket}/x/*'),
      resource('jrn:oss:${param:x}:${account}:${bucket}/x/*'),
      resource('jrn:oss:*:${account}:${jwt:sub}/*'),
      resource('jrn:oss:*:${account}:app-${param:x}/*'),
      resource('jrn:oss:*:${account}:${issuer}/*'),
      resource('jrn:oss:*:${account}:app-${param:org}/*'),
      resource('jrn:oss:*:${account}:logs-${date:yyyy}/*'),
    ],
    nearly: [resource('jrn:oss:${region}:${account}:${bucket}/${jwt:sub}/*')],
  },
  'ambiguous-key': {
    trips: [
      ...['users/${jwt:sub}/../${param:x}/*', 'users/./${jwt:sub}/*', 'users//${jwt:sub}/*', 'users/${jwt:sub}?/*'],
      ...[
        'users/%2e%2e/${jwt:sub}/*',
        'users/${jwt:sub}\\/*',
        'u\u001b/${jwt:sub}/*',
        'cafe\u0301/${jwt:sub}/*',
        '/a/*',
      ],
    ].map((path) => keys(path)),
    nearly: ['users/${jwt:sub}/.../*', 'My Photos/${jwt:sub}/a.b/*', 'café/${jwt:sub}/*', 'a:b/*'].map((path) =>
      keys(path),
    ),
  },
  'variable-before-wildcard': {
    trips: [
      keys('users/${jwt:sub}*'),
      keys('users/${jwt:sub}-*'),
      keys('users/*${jwt:sub}/*'),
      keys('users/${jwt:sub}/${param:x}*'),
      keys('users/${issuer}*/${jwt:sub}/*'),
      keys('users/${jwt:sub}/*', 'other/${jwt:sub}*'),
      keys('users/${jwt:sub|hash}*'),
      keys('orgs/${param:org}*'),
      keys('users/${jwt:sub}/${date:yyyy-MM}*'),
    ],
    nearly: [keys('users/${jwt:sub}/*'), keys('users/u-${jwt:sub}.d/*'), keys('users/${jwt:sub}/x*'), keys('public/*')],
  },
  'variables-touch': {
    trips: [
      keys('users/${jwt:sub}${param:x}/*'),
      keys('users/${jwt:sub}-${param:x}/*'),
      keys('users/${jwt:a}.${jwt:b}/*'),
      keys('users/${issuer}-${jwt:sub}/*'),
      keys('users/${jwt:sub}.${issuer}/*'),
      keys('users/${jwt:sub}/${param:x}-${param:dir}'),
      keys('users/${jwt:sub|hash}-${param:x}/*'),
      keys('users/${param:org}-${jwt:sub}/*'),
      keys('users/${jwt:sub}-${date:yyyy-MM-dd}/*'),
    ],
    nearly: [
      keys('users/${jwt:sub}/${param:x}/*'),
      keys('users/${issuer}.${jwt:sub}/*'),
      keys('users/${region}-${jwt:sub}/*'),
      keys('users/${issuer}.${jwt:sub|hash}/*'),
      keys('users/${jwt:sub}/${date:yyyy/MM/dd}/*'),
    ],
  },
  'wildcard-before-claim': {
    trips: [
      keys('teams/*/${jwt:sub}/*'),
      keys('teams/x*/${jwt:sub}/*'),
      keys('${param:dir}/${jwt:sub}/*'),
      keys('*/${issuer}/x'),
      keys('teams/*/${jwt:sub|hash}/*'),
      keys('teams/*/${param:org}/*'),
    ],
    nearly: [
      keys('${date:yyyy/MM/dd}/${jwt:sub}/*'),
      keys('teams/${jwt:sub}/*/${date:yyyy}/x'),
      keys('teams/${jwt:sub}/*/x'),
      keys('${param:x}/${jwt:sub}/*'),
      keys('users/${jwt:sub}/${param:dir}/*'),
    ],
  },
  'ends-in-variable': {
    trips: [
      keys('users/${jwt:sub}/'),
      keys('users/${jwt:sub}'),
      keys('users/${jwt:sub}/${param:x}'),
      keys('users/a-${jwt:sub}'),
      keys('users/${jwt:sub|hash}'),
      keys('users/${jwt:sub}/${date:yyyy/MM/dd}'),
    ],
    nearly: [keys('users/${jwt:sub}/*'), keys('users/${jwt:sub}.png'), keys('users/${jwt:sub}/${param:dir}')],
  },
  'ambiguous-issuer': {
    settings: two,
    trips: [
      { ...claims({ scope: 'x' }), ...keys('users/${jwt:sub}/*') },
      { allow: { issuer: ['app', 'web'] }, ...keys('users/${jwt:sub}/*') },
      { allow: { any: [{ issuer: 'app' }, { claims: { scope: 'x' } }] }, ...keys('users/${jwt:sub}/*') },
      { ...claims({ scope: 'x' }), ...keys('users/${issuer}/${jwt:sub}/*', 'u/${jwt:sub}/*') },
      { ...claims({ scope: 'x' }), ...keys('users/${jwt:sub|lower}/*') },
      { ...claims({ scope: 'x' }), ...keys('users/x*/${jwt:sub|hash}/*') },
      { ...claims({ scope: 'x' }), ...keys('users/${jwt:sub|hash}${param:x}/*') },
      { ...claims({ scope: 'x' }), ...keys('orgs/${param:org}/*') },
      { ...claims({ scope: 'x' }), ...keys('${date:yyyy}/${jwt:sub}/*') },
    ],
    nearly: [
      { allow: { issuer: 'app' }, ...keys('users/${jwt:sub}/*') },
      { allow: { issuer: ['app', 'web'] }, ...keys('users/${issuer}/${jwt:sub}/*') },
      { allow: { any: [{ issuer: 'app', claims: { a: 'b' } }, { issuer: 'app' }] }, ...keys('users/${jwt:sub}/*') },
      { allow: { issuer: 'web', any: [{ issuer: 'app' }, { claims: { scope: 'x' } }] }, ...keys('users/${jwt:sub}/*') },
      { ...claims({ scope: 'x' }), ...keys('public/*') },
      { ...claims({ scope: 'x' }), ...keys('users/${jwt:sub|hash}/*') },
      { ...claims({ scope: 'x' }), ...keys('teams/${jwt:team}/u-${jwt:sub|hash}.d/*') },
      { ...claims({ scope: 'x' }), ...keys('orgs/${issuer}/${param:org}/*') },
    ],
  },
  'unsafe-claim': {
    settings: {
      ...two,
      typicalClaims: {
        web: { sub: 'repo:o/r:ref:refs/heads/main', email: "o'brien@x.ie", team: 'red' },
        app: { 'a.b': '*' },
      },
    },
    trips: [
      { allow: { issuer: 'web' }, ...keys('users/${jwt:sub}/*') },
      { allow: { issuer: ['app', 'web'] }, ...keys('users/${issuer}/${jwt:sub}/*') },
      { allow: { issuer: 'web' }, ...keys('users/${jwt:sub|lower}/*') },
      { allow: { issuer: 'web' }, ...keys('users/${jwt:sub|domain}/*') },
      { allow: { issuer: 'web' }, ...keys('users/${jwt:sub|hash}/${jwt:email}/*') },
      { allow: { issuer: 'app' }, ...keys('users/${jwt:sub}/${jwt:a.b}/*') },
      example({ caller: { sub: 'CORP\\jane' }, can: ['PutObject users/CORP\\jane/1'] }),
    ],
    nearly: [
      { allow: { issuer: 'web' }, ...keys('users/${jwt:sub|hash}/${jwt:email|domain}/${jwt:team}/*') },
      { allow: { issuer: 'app' }, ...keys('users/${jwt:sub}/*') },
      { allow: { issuer: 'web', any: [{ issuer: 'app' }] }, ...keys('users/${jwt:sub}/*') },
      { allow: { issuer: 'web' }, ...keys('users/${jwt:sub|hash}/${param:own}/*') },
      { allow: { issuer: 'app' }, ...keys('users/${jwt:sub}/${jwt:"a.b"}/*') },
      example({ caller: { sub: 'CORP\\jane' }, cannot: ['PutObject users/CORP\\jane/1'] }),
      example({ caller: { sub: 'jane' }, can: ['PutObject users/jane/1'] }),
    ],
  },
  'unknown-issuer': {
    trips: [
      { allow: { issuer: 'web' } },
      { allow: { issuer: ['app', 'web'] } },
      { allow: { any: [{ issuer: 'web' }] } },
    ],
    nearly: [{ allow: { issuer: 'app' } }, claims({ iss: 'web' })],
  },
  'public-issuer': {
    settings: { ...two, strangers: { app: { sub: 'repo:x/y:ref:main', owner: 'x', owner_id: '9' } } },
    trips: [
      { allow: { issuer: 'app' } },
      { allow: { issuer: ['app', 'web'] } },
      claims({ ref: 'main' }),
      claims({ owner: { present: true } }),
      claims({ sub: { matches: 'repo:.*' } }),
      claims({ owner: ['we', 'x'] }),
      claims({ 'owner.name': 'we' }),
      { allow: { any: [{ issuer: 'web' }, { issuer: 'app', claims: { ref: 'main' } }] } },
      { allow: { claims: { ref: 'main' }, any: [{ claims: { owner: 'we' } }, { claims: { environment: 'prod' } }] } },
    ],
    nearly: [
      { allow: undefined },
      { allow: { issuer: 'web' } },
      claims({ owner: 'we' }),
      claims({ owner_id: { equals: '65' }, ref: 'main' }),
      claims({ sub: { prefix: 'repo:we' } }),
      { allow: { issuer: 'app', claims: { owner_id: { equals: '65' } }, any: [{ claims: { ref: 'main' } }] } },
      { allow: { any: [{ issuer: 'web' }, { issuer: 'app', claims: { owner: 'we' } }] } },
    ],
  },
  'target-of-any-issuer': {
    settings: two,
    trips: [
      { ...claims({ tenant: 'a' }), target: { from: 'jwt:tenant', map: { a: 'default' } } },
      {
        allow: { any: [{ issuer: 'app' }, { claims: { tenant: 'a' } }] },
        target: { from: 'jwt:tenant', map: { a: 'default' } },
      },
      {
        ...claims({ a: 'b' }),
        params: { o: { oneOf: 'jwt:orgs' } },
        target: { from: 'param:o', map: { a: 'default' } },
      },
    ],
    nearly: [
      { allow: { issuer: 'app' }, target: { from: 'jwt:tenant', map: { a: 'default' } } },
      { allow: { issuer: ['app', 'web'] }, target: { from: 'jwt:tenant', map: { a: 'default' } } },
      { allow: { any: [{ issuer: 'app' }] }, target: { from: 'jwt:tenant', map: { a: 'default' } } },
      { allow: undefined, target: { from: 'jwt:tenant', map: { a: 'default' } } },
      { ...claims({ a: 'b' }), target: 'default' },
      { ...claims({ a: 'b' }), params: { o: {} }, target: { from: 'param:o', map: { a: 'default' } } },
    ],
  },
  'user-chosen-claim': {
    trips: [
      { target: { from: 'jwt:profile.org', map: { a: 'default' } } },
      { params: { o: { oneOf: 'jwt:profile.orgs' } }, target: { from: 'param:o', map: { a: 'default' } } },
      keys('users/${jwt:email}/*'),
      keys('users/${jwt:preferred_username}/*'),
      keys('users/${jwt:profile.nickname}/*'),
      keys('users/${jwt:Email}/*'),
      keys('users/${jwt:https://example.com/email}/*'),
      keys('users/${jwt:user_metadata.folder}/*'),
      { ...keys('users/${jwt:email}/*'), sharedBy: ['email'] },
      { ...keys('users/${jwt:userMetadata.id}/*'), sharedBy: ['userMetadata.id'] },
      { ...keys('users/${jwt:"https://x/user_metadata".id}/*'), sharedBy: ['"https://x/user_metadata".id'] },
      { ...keys('users/${jwt:profile.id}/*'), sharedBy: ['profile.id'] },
      keys('users/${jwt:email|hash}/*'),
      { ...keys('users/${jwt:email|lower}/*'), sharedBy: ['email|lower'] },
      { ...keys('users/${jwt:email|domain}/*'), sharedBy: ['email|domain'] },
      {
        ...keys('users/${param:x}/*'),
        params: { x: { oneOf: 'jwt:user_metadata.orgs' } },
        sharedBy: ['user_metadata.orgs'],
      },
      { ...keys('users/${jwt:sub|lower}/${jwt:email}/*'), sharedBy: ['sub|lower'] },
    ],
    nearly: [
      keys('users/${jwt:sub}/${jwt:email}/*'),
      keys('users/${jwt:sub|hash}/${jwt:email|domain}/*'),
      keys('users/${jwt:team}/*'),
      keys('users/${jwt:email_id}/*'),
      { ...keys('users/${jwt:https://login.example.com/team}/*'), sharedBy: ['https://login.example.com/team'] },
      { ...keys('users/${jwt:publicMetadata.team}/*'), sharedBy: ['publicMetadata.team'] },
    ],
  },
  'shared-folder': {
    trips: [
      keys('teams/${jwt:org}/*'),
      keys('teams/${jwt:team}/${jwt:org}/*'),
      keys('teams/${jwt:"https://example.com/team"}/*'),
      keys('teams/${jwt:realm.sub}/*'),
      keys('users/${jwt:sub|lower}/*'),
      { ...keys('users/${jwt:sub|lower}/*'), sharedBy: ['sub', 'sub|domain'] },
      { ...keys('mail/${jwt:team|domain}/*'), sharedBy: ['team', 'team|lower'] },
      { ...keys('teams/${jwt:team}/*'), sharedBy: ['team|lower'] },
      // A template that accepts a claim of the users' own still says that the users of one host share it.
      { ...keys('mail/${jwt:email|domain}/*'), accept: { 'user-chosen-claim': 'users cannot change it here' } },
      { ...keys('mail/${jwt:email|lower}/*'), accept: { 'user-chosen-claim': 'users cannot change it here' } },
      keys('orgs/${param:org}/*'),
      keys('own/${param:own}/*'),
      { ...keys('orgs/${param:org}/*'), sharedBy: ['orgs|lower'] },
      keys('teams/${jwt:org|hash}/*'),
    ],
    nearly: [
      keys('teams/${jwt:team}/*'),
      keys('teams/${jwt:org}/${jwt:sub}/*'),
      keys('teams/${jwt:org|domain}/${jwt:sub|hash}/*'),
      keys('teams/${jwt:team|hash}/*'),
      { ...keys('mail/${jwt:team|domain}/*'), sharedBy: 'team|domain' },
      { ...keys('users/${jwt:sub|lower}/*'), sharedBy: 'sub|lower' },
      { ...keys('orgs/${param:org}/*'), sharedBy: 'orgs' },
      keys('orgs/${param:org}/${jwt:sub}/*'),
      keys('users/${jwt:email|hash}/*'),
      { ...keys('teams/${jwt:https://example.com/team}/*'), sharedBy: ['https://example.com/team'] },
      keys('public/*'),
    ],
  },
  'shared-write': {
    trips: [
      ...['${date:yyyy/MM/dd}/*', 'inbox/${date:yyyy-MM-dd}.txt'].map((path) => keys(path)),
      ...['users/*', 'inbox/today.txt', 'users/*/x', '*', 'u*', 'users/${issuer}/*'].map((path) => keys(path)),
      ...['oss:DeleteObject', 'oss:AbortMultipartUpload', ['oss:GetObject', 'oss:PutObject']].map((all) =>
        actions(all, 'users/*'),
      ),
      policy({ ...statement('users/*'), Action: 'oss:GetObject' }, statement('inbox/*')),
    ],
    nearly: [
      keys('users/${jwt:sub}/*'),
      keys('teams/${jwt:team}/*'),
      actions(['oss:GetObject', 'oss:ListMultipartUploadParts'], 'users/*'),
      policy({ ...statement('users/*'), Action: 'oss:GetObject' }, statement('users/${jwt:sub}/*')),
      policy({ Effect: 'Allow', Action: 'oss:ListBucket', Resource: 'jrn:oss:*:${account}:${bucket}' }),
      keys('rooms/${param:x}/*'),
      keys('orgs/${param:org}/*'),
      actions('oss:GetObject', 'news/${date:yyyy}/*'),
    ],
  },
  'param-without-owner': {
    trips: [keys('rooms/${param:x}/*'), keys('rooms/${param:dir}'), keys('rooms/${date:yyyy}/${param:x}/*')],
    nearly: [
      keys('orgs/${param:org}/*'),
      keys('orgs/${param:org}/${param:x}/*'),
      keys('rooms/*'),
      keys('rooms/${jwt:sub}/${param:x}/*'),
      keys('rooms/${param:x}/${jwt:sub}/*'),
    ],
  },
  'claim-not-required': {
    trips: [
      keys('orgs/${param:org}/*'),
      keys('teams/${jwt:team|hash}/*'),
      keys('teams/${jwt:team}/*'),
      { ...keys('teams/${jwt:team}/*'), ...claims({ 'team.id': 'x' }) },
      { ...keys('teams/${jwt:team}/*'), allow: { any: [{ claims: { team: { present: true } } }, { issuer: 'app' }] } },
    ],
    nearly: [
      { ...keys('orgs/${param:org}/*'), ...claims({ orgs: { present: true } }) },
      { ...keys('teams/${jwt:team}/*'), ...claims({ team: { present: true } }) },
      { ...keys('teams/${jwt:"team"}/*'), ...claims({ team: 'x' }) },
      {
        ...keys('teams/${jwt:team}/*'),
        allow: { any: [{ claims: { team: 'a' } }, { claims: { team: { matches: 'x' } } }] },
      },
      keys('users/${jwt:sub}/*'),
    ],
  },
  'wildcard-action': { trips: [actions('oss:*'), actions('*'), actions('oss:Get*')], nearly: [actions(WRITE)] },
  'account-action': {
    trips: [actions('oss:DeleteBucket'), actions(['oss:PutObject', 'oss:ListAllMyBuckets'])],
    nearly: [actions('oss:DeleteObject')],
  },
  'unknown-action': {
    trips: [actions('oss:PutObjct'), actions('s3:PutObject'), actions('oss:putobject'), actions('oss:${jwt:action}')],
    nearly: [actions('oss:PutObject'), actions('oss:*')],
  },
  'action-level': {
    trips: [
      actions('oss:ListBucket'),
      policy({ Effect: 'Allow', Action: 'oss:PutObject', Resource: 'jrn:oss:*:${account}:${bucket}' }),
      policy({
        Effect: 'Allow',
        Action: ['oss:ListBucket', 'oss:GetObject'],
        Resource: 'jrn:oss:*:${account}:${bucket}/x/*',
      }),
      policy({
        Effect: 'Allow',
        Action: 'oss:GetObject',
        Resource: ['jrn:oss:*:${account}:${bucket}/x/*', 'jrn:oss:*:${account}:${bucket}'],
      }),
    ],
    nearly: [
      policy({ Effect: 'Allow', Action: 'oss:ListBucket', Resource: 'jrn:oss:*:${account}:${bucket}' }),
      policy({
        Effect: 'Allow',
        Action: ['oss:ListBucket', 'oss:GetObject'],
        Resource: ['jrn:oss:*:${account}:${bucket}/x/*', 'jrn:oss:*:${account}:${bucket}'],
      }),
    ],
  },
  'list-bucket': {
    trips: [actions('oss:ListBucket'), actions(['oss:GetObject', 'oss:ListBucketMultipartUploads'])],
    nearly: [actions('oss:ListMultipartUploadParts')],
  },
  'no-abort': {
    trips: [actions('oss:PutObject')],
    nearly: [
      actions(WRITE),
      actions('oss:GetObject'),
      policy(statement('a/${jwt:sub}/*'), { ...statement('a/${jwt:sub}/*'), Action: WRITE }),
    ],
  },
  'ineffective-element': {
    trips: [
      element({ Effect: 'Deny' }),
      element({ Condition: {} }),
      element({ Condition: { StringLike: { 'oss:prefix': 'a' } } }),
    ],
    nearly: [element({ Sid: 'Deny' })],
  },
  'forbidden-element': {
    trips: [
      element({ Principal: '*' }),
      element({ NotPrincipal: '*' }),
      { ...policy({ Effect: 'Allow', NotAction: 'oss:GetObject', Resource: 'jrn:oss:*:${account}:${bucket}/x/*' }) },
      { ...policy({ Effect: 'Allow', Action: 'oss:GetObject', NotResource: 'jrn:oss:*:${account}:${bucket}/x/*' }) },
    ],
    nearly: [element({ Sid: 'Principal' })],
  },
  'swallowed-statement': {
    trips: [
      policy(statement('users/${jwt:sub}/*'), statement('users/${jwt:sub}/*')),
      policy(statement('users/${jwt:sub}/*'), statement('users/${jwt:sub}/photos/*')),
      policy(statement('users/${jwt:sub}/photos/*'), { ...statement('users/*'), Action: WRITE }),
      policy(statement('users/${jwt:sub}/photos/*'), statement('users/${jwt:sub}/p*')),
    ],
    nearly: [
      policy(statement('users/${jwt:sub}/*'), statement('users/${jwt:team}/photos/*')),
      policy(statement('users/${jwt:sub}/*'), statement('users/${jwt:sub|hash}/photos/*')),
      policy(statement('u/${jwt:sub}/${date:yyyy}/*'), statement('u/${jwt:sub}/${date:yyyy-MM}/*')),
      policy(statement('users/${jwt:sub}/*'), { ...statement('users/${jwt:sub}/*'), Action: 'oss:GetObject' }),
      policy(statement('users/${jwt:sub}/*'), { ...statement('users/${jwt:sub}/old/*'), Effect: 'Deny' }),
    ],
  },
  'policy-size': {
    trips: [
      keys('users/${jwt:sub}/${param:dir}/*'),
      keys('a/${jwt:sub}/*', 'b/${jwt:sub}/*', 'c/${jwt:sub}/*', 'd/${jwt:sub}/*'),
      { ...keys('users/${jwt:sub}/${param:p}/*'), params: { p: { kind: 'path', pattern: '[^*]+' } } },
    ],
    nearly: [
      keys(...['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `${name}/\${jwt:sub|hash}/\${date:yyyy/MM/dd}/*`)),
      keys('a/${jwt:sub}/*', 'b/${jwt:sub}/*', 'c/${jwt:sub}/*'),
      {
        ...keys('users/${jwt:sub}/${param:p}/*'),
        params: { p: { kind: 'path', pattern: '[a-z]{1,40}(/[a-z]{1,40}){0,7}' } },
      },
      {
        ...keys('a/${jwt:sub}/*', 'b/${jwt:sub}/*', 'c/${jwt:sub}/*', 'd/${jwt:sub}/*'),
        ...claims({ sub: { matches: '[0-9a-f-]{36}' } }),
      },
      {
        ...keys('a/${jwt:team}/*', 'b/${jwt:team}/*', 'c/${jwt:team}/*', 'd/${jwt:team}/*'),
        ...claims({ team: ['red', 'blue'] }),
      },
    ],
  },
  'duration-too-short': {
    trips: [{ durationSeconds: 900 }, { durationSeconds: 3599 }],
    nearly: [{ durationSeconds: 3600 }],
  },
  'duration-over-role': {
    settings: { ...one, maxSessionSeconds: 7200 },
    trips: [{ durationSeconds: 7201 }],
    nearly: [{ durationSeconds: 7200 }],
  },
  'unused-param': {
    trips: [{ params: { x: {} } }, { params: { x: { default: 'a' } } }, { ...keys('users/${jwt:sub}/${param:x}/*') }],
    nearly: [
      keys('users/${jwt:sub}/${param:x}/${param:dir}/${param:org}/${param:own}'),
      { ...keys('orgs/${param:org}/*'), params: { org: { oneOf: 'jwt:orgs' } } },
      {},
    ],
  },
  'pattern-backtracks': {
    trips: [
      ...[
        'a+(?<!(?<=b)(?:a|aa)+)',
        '(?:(?!(?:(?!.*x).)*y).)*',
        '([a-z])\\1',
        '(?<year>[0-9]{4})',
        '(?:a{1000}){1000}',
      ].map((p) => param(p)),
      ...['([a-z0-9]+-?)+', '(a+)+', '(.*)*x', '(a|a)*', '(a|aa)+', 'a*a*a*b', '([a-z]+)\\1x', '(?<n>a+)\\k<n>'].map(
        (pattern) => param(pattern),
      ),
      claims({ t: { matches: '(a+)+' } }),
      { allow: { any: [{ claims: { t: { matches: '(a|a)*b' } } }] } },
    ],
    nearly: [
      ...['[a-z0-9]+(-[a-z0-9]+)*', '[a-z0-9-]{1,40}', '\\p{L}+', '(19|20)\\d\\d'].map((pattern) => param(pattern)),
      claims({ t: { matches: 'a+' } }),
    ],
  },
  'pattern-unsafe-character': {
    trips: [
      ...['.*', '[^/]+', '[a-z*]+', '[a-z/]+', '\\S+', 'a b', '\\$'].map((pattern) => param(pattern)),
      param('[a-z:]+', { kind: 'path' }),
    ],
    nearly: [
      ...['[A-Za-z0-9_-]+', '\\w+', '\\p{L}{1,9}', 'a(?=.)b'].map((pattern) => param(pattern)),
      param('[a-z/]+', { kind: 'path' }),
    ],
  },
  'no-allow': { trips: [{ allow: undefined }], nearly: [{ allow: { issuer: 'app' } }] },
  'no-examples': { trips: [{}, { examples: [] }], nearly: [example({ can: ['PutObject users/alice/1'] })] },
  'no-cannot': {
    trips: [example({ can: ['PutObject users/alice/1'] })],
    nearly: [example({ cannot: ['PutObject users/bob/1'] }), {}],
  },
  'cannot-other-bucket': {
    trips: [
      example({ cannot: ['PutObject other/users/alice/1'] }),
      example({ cannot: ['PutObject test-app/users/alice/1', 'PutObject other/users/alice/1', 'ListBuckets'] }),
    ],
    nearly: [
      example({ cannot: ['PutObject other/users/alice/1', 'PutObject users/bob/1'] }),
      example({ cannot: ['PutObject test-app/users/bob/1'] }),
      example({ cannot: ['ListBuckets'] }),
    ],
  },
}

t.test('every rule finds its bad templates, and lets similar good ones pass', async (t) => {
  t.strictSame(Object.keys(CASES).sort(), RULES.map(({ id }) => id).sort())
  for (const { id } of RULES) {
    const { trips = [], nearly = [], settings = one } = CASES[id] ?? {}
    const found = (parts: Parts) => {
      const lint = lintTemplate(lintSubject(template(parts), settings))
      return lint.filter(({ rule }) => rule === id)
    }
    t.test(id, async (t) => {
      t.ok(trips.length > 0 && nearly.length > 0)
      for (const [index, parts] of trips.entries())
        t.ok(found(parts).length > 0, `trips: ${index} ${JSON.stringify(parts)}`)
      for (const [index, parts] of nearly.entries())
        t.strictSame(found(parts), [], `nearly: ${index} ${JSON.stringify(parts)}`)
    })
  }
})

t.test('every rule has a message, a remedy and a file of its own name', async (t) => {
  const { existsSync } = await import('node:fs')
  for (const { id, remedy } of RULES) {
    t.ok(existsSync(`src/policy/check/lint/${id}.ts`), id)
    t.ok(remedy.length > 10, `${id} has a remedy`)
    for (const finding of lintTemplate(lintSubject(template(CASES[id]?.trips[0]), CASES[id]?.settings ?? one))) {
      t.ok(finding.message.length > 15 && finding.path, `${finding.rule} says where and why`)
    }
  }
})
