import t from 'tap'
import { createFolders } from '../../../../src/policy/check/lint/colliding-folders.ts'
import { lintTemplate } from '../../../../src/policy/check/lint/lint.ts'
import { lintSubject } from '../../../../src/policy/check/lint/rule.ts'
import { settings, statement, template } from '../../../helpers/templates.ts'

type Parts = Record<string, unknown>

const issuers = ['app', 'web']
const lintSettings = { ...settings, issuers, severalIssuers: true }
const params = { x: {}, dir: { kind: 'path' } }
/** A template for the callers of `app`. */
const folders = (...keys: string[]): Parts => ({
  allow: { issuer: 'app' },
  params,
  sharedBy: ['team', 'org'],
  policy: { Version: '3', Statement: keys.map(statement) },
})
const withParams = (params: Parts, ...keys: string[]): Parts => ({ ...folders(...keys), params })
const lower = (...keys: string[]): Parts => ({ ...folders(...keys), sharedBy: ['sub|lower'] })
const of = (issuer: string | string[], ...keys: string[]): Parts => ({ ...folders(...keys), allow: { issuer } })

/** `<template> <resource>: <message>` for each collision of a set. */
function told(set: readonly Parts[], rule = 'colliding-folders'): string[] {
  const subjects = set.map((parts, index) => lintSubject(template(parts, `t${index}`), lintSettings))
  const all = createFolders()
  const found = subjects.flatMap((subject) => all.add(subject).map((finding) => ({ subject, ...finding })))
  const shared = [...all.shared()].flatMap(([subject, list]) => list.map((finding) => ({ subject, ...finding })))
  return [...found, ...shared]
    .filter((finding) => finding.rule === rule)
    .map(({ subject, path, message }) => `${subject.template.name} ${path.join('.')}: ${message}`)
}

t.test('sets with colliding folders', async (t) => {
  const rows: { name: string; set: Parts[] }[] = [
    { name: 'a user called teams', set: [folders('users/${jwt:sub}/*'), folders('users/teams/${jwt:team}/*')] },
    {
      name: "an issuer's folder over its users'",
      set: [folders('users/${issuer}/*'), folders('users/${issuer}/${jwt:sub}/*')],
    },
    { name: 'in one template', set: [folders('users/${jwt:sub}/*', 'users/teams/${jwt:team}/*')] },
    { name: 'a team called like a user', set: [folders('${jwt:sub}/*'), folders('${jwt:team}/*')] },
    { name: 'a team and an org', set: [folders('t/${jwt:team}/*'), folders('t/${jwt:org}/*')] },
    { name: 'one object in a folder', set: [folders('u/${jwt:sub}/me.png'), folders('u/${jwt:team}/*')] },
    { name: 'the same object', set: [folders('u/${jwt:sub}/me.png'), folders('u/${jwt:team}/me.png')] },
    { name: 'a suffix that another value can end in', set: [folders('u/${jwt:sub}.d/*'), folders('u/${jwt:team}/*')] },
    {
      name: 'a prefix that another value can start with',
      set: [folders('u/t-${jwt:team}/*'), folders('u/${jwt:sub}/*')],
    },
    { name: 'a prefix that starts like another', set: [folders('u/a-${jwt:team}/*'), folders('u/a-b${jwt:sub}/*')] },
    { name: 'the other way round', set: [folders('${param:x}/${jwt:sub}/*'), folders('${jwt:sub}/${param:x}/*')] },
    { name: 'a param that names a folder', set: [folders('${param:x}/${jwt:sub}/*'), folders('teams/${jwt:team}/*')] },
    {
      name: 'a path that leads into a folder',
      set: [folders('${jwt:sub}/${param:dir}'), folders('users/${jwt:team}/*')],
    },
    {
      name: 'below a folder',
      set: [folders('t/${jwt:team}/a/b/*'), folders('t/${jwt:sub}/*')],
    },
    {
      name: 'above a folder',
      set: [folders('t/${jwt:sub}/*'), folders('t/${jwt:team}/a/b/*')],
    },
    // A * spans slashes, so that what stands behind it says nothing of its own segment: t/x/z/y.
    { name: 'text behind a wildcard', set: [folders('t/${jwt:team}/*y'), folders('t/${jwt:sub}/z/*')] },
    { name: 'text behind a wildcard, first', set: [folders('t/${jwt:sub}/z/*'), folders('t/${jwt:team}/*y')] },
    { name: 'text before a wildcard', set: [folders('t/${jwt:team}/z*'), folders('t/${jwt:sub}/zz/*')] },
    {
      // Two params of one name, of which the second spans slashes.
      name: 'a param of kind path, known as a segment before',
      set: [
        folders('${jwt:sub}/${param:x}/q'),
        { ...folders('${jwt:sub}/${param:x}'), params: { x: { kind: 'path' } } },
        folders('${jwt:team}/b/c/*'),
      ],
    },
    { name: 'two issuers, one sub', set: [of('app', 'u/${jwt:sub}/*'), of('web', 'u/${jwt:sub}/*')] },
    { name: 'two issuers, one team', set: [of('app', 't/${jwt:team}/*'), of('web', 't/${jwt:team}/${jwt:sub}/*')] },
    { name: 'a user called like an issuer', set: [of(issuers, 'u/${issuer}/${jwt:sub}/*'), folders('u/${jwt:sub}/*')] },
    {
      name: 'a user called like an issuer, whose folder it is',
      set: [of(issuers, 'u/${issuer}/*'), folders('u/${jwt:sub}/*')],
    },
    {
      name: 'the name of another issuer',
      set: [of(issuers, 'u/${issuer}/${jwt:sub}/*'), of('app', 'u/web/${jwt:sub}/*')],
    },
    {
      name: 'a claim that is written in two ways is not known to be one',
      set: [folders('t/${jwt:team}/${jwt:sub}/*'), folders('t/${jwt:"team"}/*')],
    },
    {
      name: "a user called like another's hash",
      set: [folders('u/${jwt:sub}/*'), folders('u/${jwt:sub|hash}/*')],
    },
    { name: 'a team called like a user', set: [folders('u/${jwt:sub|hash}/*'), folders('u/${jwt:team|hash}/*')] },
    {
      name: "two hashes of one issuer, after another issuer's",
      set: [of('app', 'u/${jwt:sub|hash}/*'), of('web', 'u/${jwt:sub|hash}/*'), of('web', 'u/${jwt:team|hash}/*')],
    },
    {
      name: 'hashes with other text around',
      set: [of('app', 'u/a${jwt:sub|hash}/*'), of('web', 'u/${jwt:sub|hash}b/*')],
    },
    {
      name: 'a hash, spelled out',
      set: [folders('u/${jwt:sub|hash}/*'), folders(`u/${'0'.repeat(64)}/\${jwt:team}/*`)],
    },
    { name: 'a user in lower case', set: [folders('u/${jwt:sub}/*'), lower('u/${jwt:sub|lower}/*')] },
    { name: 'below a user in lower case', set: [folders('u/${jwt:sub}/a/*'), lower('u/${jwt:sub|lower}/*')] },
    {
      name: 'two claims, chosen by parameters of one name',
      set: [
        withParams({ x: { oneOf: 'jwt:team' } }, 't/${param:x}/*'),
        withParams({ x: { oneOf: 'jwt:org' } }, 't/${param:x}/*'),
      ],
    },
    {
      name: 'a membership, and a parameter of the same name that everybody chooses',
      set: [withParams({ x: { oneOf: 'jwt:team' } }, 't/${param:x}/*'), folders('t/${param:x}/${jwt:sub}/*')],
    },
    {
      name: 'two issuers with one membership',
      set: [
        { ...withParams({ x: { oneOf: 'jwt:team' } }, 't/${param:x}/*'), allow: { issuer: 'app' } },
        { ...withParams({ x: { oneOf: 'jwt:team' } }, 't/${param:x}/*'), allow: { issuer: 'web' } },
      ],
    },
    { name: 'a user called like a year', set: [folders('u/${jwt:sub}/*'), folders('u/${date:yyyy}/${jwt:sub}/*')] },
    { name: 'a year, spelled out', set: [folders('u/2026/${jwt:team}/*'), folders('u/${date:yyyy}/${jwt:sub}/*')] },
    {
      name: 'a day in two ways',
      set: [folders('u/${date:yyyy}/${jwt:sub}/*'), folders('u/${date:yyyy}/${date:yyyy}/${jwt:team}/*')],
    },
  ]
  for (const { name, set } of rows) {
    t.test(name, async (t) => {
      t.ok(told(set).length > 0)
      t.ok(told(set.toReversed()).length > 0, 'in any order')
    })
  }
})

t.test('sets that nearly collide', async (t) => {
  const rows: { name: string; set: Parts[] }[] = [
    { name: 'folders of their own', set: [folders('users/${jwt:sub}/*'), folders('teams/${jwt:team}/*')] },
    { name: 'names that start alike', set: [folders('users/${jwt:sub}/*'), folders('users2/${jwt:team}/*')] },
    { name: 'prefixes of their own', set: [folders('u-${jwt:sub}/*'), folders('t-${jwt:team}/*')] },
    { name: 'suffixes of their own', set: [folders('${jwt:sub}.u/*'), folders('${jwt:team}.t/*')] },
    {
      name: 'a prefix that is longer than the name',
      set: [folders('users/${jwt:sub}/*'), folders('users-${jwt:team}/*')],
    },
    { name: 'objects of their own', set: [folders('u/${jwt:sub}/a'), folders('u/${jwt:team}/b')] },
    { name: 'an object and what is below it', set: [folders('u/${jwt:sub}'), folders('u/${jwt:team}/*')] },
    { name: 'wildcards that start differently', set: [folders('u/${jwt:sub}/a*'), folders('u/${jwt:team}/b*')] },
    { name: 'a wildcard that starts with more', set: [folders('u/${jwt:sub}/ab*'), folders('u/${jwt:team}/a/*')] },
    { name: 'the same template twice', set: [folders('users/${jwt:sub}/*'), folders('users/${jwt:sub}/*')] },
    { name: 'the same shared folder twice', set: [folders('t/${jwt:team}/*'), folders('t/${jwt:team}/*')] },
    {
      name: "one's own folder and an album in it",
      set: [folders('u/${jwt:sub}/*'), folders('u/${jwt:sub}/${param:x}/*')],
    },
    {
      name: 'the admin of a team over the folders of its members',
      set: [folders('t/${jwt:team}/*'), folders('t/${jwt:team}/${jwt:sub}/*')],
    },
    {
      name: 'the admin of an org over its teams',
      set: [folders('o/${jwt:org}/*'), folders('o/${jwt:org}/${jwt:team}/*')],
    },
    {
      name: 'a param of the same name, segment and path',
      set: [
        folders('${jwt:sub}/${param:x}/q'),
        { ...folders('${jwt:sub}/${param:x}'), params: { x: { kind: 'path' } } },
      ],
    },
    {
      name: 'two issuers, told apart',
      set: [of(issuers, 'u/${issuer}/${jwt:sub}/*'), of(issuers, 'u/${issuer}/${jwt:sub}/a/*')],
    },
    {
      name: 'all issuers and one of them',
      set: [of(issuers, 'u/${issuer}/${jwt:sub}/*'), of('app', 'u/${issuer}/${jwt:sub}/*')],
    },
    { name: 'one issuer each', set: [of('app', 'u/${issuer}/${jwt:sub}/*'), of('web', 'u/${issuer}/${jwt:sub}/*')] },
    { name: 'one issuer each, by name', set: [of('app', 'app/${jwt:sub}/*'), of('web', 'web/${jwt:sub}/*')] },
    {
      name: "the issuer's name and ${issuer}",
      set: [of('app', 'u/app/${jwt:sub}/*'), of(issuers, 'u/${issuer}/${jwt:sub}/*')],
    },
    { name: 'the same folder of an issuer, twice', set: [of(issuers, 'u/${issuer}/*'), of(issuers, 'u/${issuer}/*')] },
    {
      name: 'a template for nobody',
      set: [folders('users/${jwt:sub}/*'), { ...folders('users/${jwt:team}/*'), allow: undefined }],
    },
    { name: 'the hash of several issuers', set: [of(issuers, 'u/${jwt:sub|hash}/*')] },
    { name: 'a hash for each issuer', set: [of('app', 'u/${jwt:sub|hash}/*'), of('web', 'u/${jwt:team|hash}/*')] },
    {
      name: 'a hash, and one with text around it',
      set: [of(issuers, 'u/a-${jwt:sub|hash}/*'), folders('u/${jwt:team|hash}/*')],
    },
    { name: 'a hash and a name', set: [folders('u/${jwt:sub|hash}/*'), folders('u/teams/${jwt:team}/*')] },
    {
      name: 'a hash and a name of its length',
      set: [folders('u/${jwt:sub|hash}/*'), folders(`u/${'x'.repeat(64)}/\${jwt:team}/*`)],
    },
    {
      name: 'a year and a name of its length',
      set: [folders('u/${date:yyyy}/${jwt:sub}/*'), folders('u/docs/${jwt:team}/*')],
    },
    {
      name: 'a day and its month',
      set: [folders('u/${date:yyyy-MM-dd}/${jwt:sub}/*'), folders('u/${date:yyyy-MM}/${jwt:team}/*')],
    },
    { name: "one's own folder, dated", set: [folders('u/${jwt:sub}/*'), folders('u/${jwt:sub}/${date:yyyy/MM/dd}/*')] },
    {
      name: 'a membership over the folders of its members',
      set: [
        withParams({ x: { oneOf: 'jwt:team' } }, 't/${param:x}/*'),
        withParams({ x: { oneOf: 'jwt:team' } }, 't/${param:x}/${jwt:sub}/*'),
      ],
    },
    // What has no variable says itself that it is shared.
    { name: 'a literal above', set: [folders('users/${jwt:sub}/*'), folders('users/*')] },
    { name: 'a literal below', set: [folders('users/${jwt:sub}/*'), folders('users/alice/*')] },
    {
      name: 'a bucket',
      set: [
        folders('users/${jwt:sub}/*'),
        {
          ...folders(),
          policy: {
            Version: '3',
            Statement: [{ Effect: 'Allow', Action: 'oss:ListBucket', Resource: 'jrn:oss:*:${account}:${bucket}' }],
          },
        },
      ],
    },
  ]
  for (const { name, set } of rows) {
    t.test(name, async (t) => {
      t.strictSame(told(set), [])
      t.strictSame(told(set.toReversed()), [], 'in any order')
    })
  }
})

t.test('each resource is reported once, with its place and the other folder', async (t) => {
  t.strictSame(told([folders('users/${jwt:sub}/*'), folders('a/${jwt:sub}/*', 'users/teams/${jwt:team}/*')]), [
    't1 policy.Statement.1.Resource.0: two people can have the same folder: this one and users/${jwt:sub}/* of t0',
  ])
  t.strictSame(told([folders('${jwt:sub}/*', '${jwt:team}/*')]), [
    't0 policy.Statement.1.Resource.0: two people can have the same folder: this one and ${jwt:sub}/*',
  ])
  const twice = told([of(issuers, '${issuer}/${jwt:sub}/*'), of(issuers, '${issuer}/${jwt:team}/*')])
  t.equal(twice.length, 1, 'not once for each issuer')
})

t.test('each row passes all rules for one template', async (t) => {
  const alone = (parts: Parts) =>
    lintTemplate(lintSubject(template(parts), lintSettings)).filter(({ severity }) => severity === 'error')
  t.strictSame(alone(folders('users/teams/${jwt:team}/*')), [])
  t.strictSame(alone(folders('t/${jwt:team}/*y')), [])
  t.strictSame(alone({ ...of(issuers, 'u/${issuer}/*'), accept: { 'shared-write': 'a drop box for each' } }), [])
})

t.test('a shared folder that is or contains a personal one', async (t) => {
  const told2 = (...set: Parts[]) => [told(set, 'shared-and-personal'), told(set.toReversed(), 'shared-and-personal')]
  const rows: { name: string; set: Parts[] }[] = [
    { name: 'over them', set: [folders('users/${jwt:sub}/*'), folders('users/*')] },
    { name: 'one of them', set: [folders('users/${jwt:sub}/*'), folders('users/alice/*')] },
    { name: 'at the root', set: [folders('${jwt:sub}/*'), folders('handbook/*')] },
    { name: 'over those of a team', set: [folders('teams/${jwt:team}/*'), folders('teams/*')] },
    { name: 'in one template', set: [folders('users/${jwt:sub}/*', 'users/*')] },
    { name: 'over hashes', set: [folders('users/${jwt:sub|hash}/*'), folders('users/*')] },
    { name: 'of a day', set: [folders('users/${jwt:sub}/*'), folders('users/${date:yyyy}/*')] },
    {
      name: 'over memberships',
      set: [withParams({ x: { oneOf: 'jwt:team' } }, 'orgs/${param:x}/*'), folders('orgs/acme/*')],
    },
  ]
  for (const { name, set } of rows) {
    t.test(name, async (t) => {
      for (const lines of told2(...set)) t.equal(lines.length, 1, lines.join())
      t.match(told(set, 'shared-and-personal')[0], set.length > 1 ? /^t1 / : /^t0 /u, 'of the folder for everybody')
    })
  }
  for (const set of [
    [folders('users/${jwt:sub}/*'), folders('public/*')],
    [folders('users/${jwt:sub}/*'), folders('users')],
    [folders('users/u-${jwt:sub}/*'), folders('users/shared/*')],
    [folders('users/${jwt:sub|hash}/*'), folders('users/shared/*')],
    [folders('users/${date:yyyy}/${jwt:sub}/*'), folders('users/shared/*')],
    [folders('public/*'), folders('public/logos/*')],
  ]) {
    t.strictSame(told2(...set), [[], []])
  }
})
