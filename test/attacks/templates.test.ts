import t from 'tap'
import { CatalogueError, loadCatalogue } from '../../src/policy/check/catalogue.ts'
import { ACCEPTABLE_RULES } from '../../src/policy/template/accept.ts'
import { BUCKET, below, errorsOf, lintSettings, type Parts, personal, READ, text, WRITE } from './open-templates.ts'

/** Claims that users set themselves at some provider. */
const USERS_OWN = [
  '"https://x/user_metadata".id',
  'https://x/user_metadata/id',
  'app.user_metadata.id',
  'userMetadata.id',
  'raw_user_meta_data.id',
  'unsafeMetadata.id',
  'unsafe_metadata',
  'identity.traits.id',
  'custom:tenant',
  'custom:team.id',
  'profile.id',
  'preferredUsername',
  'PreferredUsername',
  'preferred-username',
  'email_address',
  'emailAddress',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
  'urn:example:email',
  'emails',
  'emails.primary',
  'full_name',
  'firstName',
  'handle',
  'address.country',
  'user.displayName',
]

/** Beside personal folders, `it` is the template that is attacked with. */
const rows: { name: string; action: unknown; resource: unknown; want: string[] }[] = [
  { name: 'the whole bucket, to read', action: READ, resource: below('*'), want: ['whole-bucket'] },
  { name: 'the whole bucket, to write', action: WRITE, resource: below('*'), want: ['shared-write', 'whole-bucket'] },
  { name: 'as one text', action: 'oss:GetObject', resource: below('*'), want: ['whole-bucket'] },
  { name: 'by its name', action: READ, resource: 'jrn:oss:*:*:test-app/*', want: ['whole-bucket'] },
  { name: 'in any account', action: READ, resource: 'jrn:oss:cn-north-1:*:${bucket}/*', want: ['whole-bucket'] },
  { name: 'two stars', action: READ, resource: below('**'), want: ['whole-bucket'] },
  { name: 'a star and folders', action: READ, resource: below('*/*'), want: ['whole-bucket'] },
  { name: 'a star and an ending', action: READ, resource: below('*.jpg'), want: ['whole-bucket'] },
  {
    name: 'second in a list',
    action: READ,
    resource: [below('users/${jwt:sub}/*'), below('*')],
    want: ['whole-bucket'],
  },
  {
    name: 'a star behind the bucket',
    action: READ,
    resource: `${BUCKET}*`,
    want: ['action-level', 'wildcard-resource'],
  },
  {
    name: 'a star for the bucket',
    action: READ,
    resource: 'jrn:oss:*:${account}:*',
    want: ['action-level', 'wildcard-resource'],
  },
  { name: 'a star for all', action: READ, resource: '*', want: ['wildcard-resource'] },
  { name: 'two stars for all', action: READ, resource: '**', want: ['wildcard-resource'] },
  {
    name: 'a literal folder over personal ones',
    action: READ,
    resource: below('users/*'),
    want: ['shared-and-personal'],
  },
  {
    name: 'a literal folder over personal ones, to write',
    action: WRITE,
    resource: below('users/*'),
    want: ['shared-and-personal', 'shared-write'],
  },
  { name: 'two stars below it', action: READ, resource: below('users/**'), want: ['shared-and-personal'] },
  { name: 'a star between', action: READ, resource: below('users/*/x/*'), want: ['shared-and-personal'] },
  { name: "one user's folder", action: READ, resource: below('users/alice/*'), want: ['shared-and-personal'] },
  { name: "one user's file", action: READ, resource: below('users/alice/diary'), want: ['shared-and-personal'] },
  { name: 'an ending', action: READ, resource: below('users/*.pdf'), want: ['shared-and-personal'] },
  { name: 'a prefix', action: READ, resource: below('u*'), want: ['open-prefix', 'shared-and-personal'] },
  { name: 'a longer prefix', action: READ, resource: below('users*'), want: ['open-prefix', 'shared-and-personal'] },
  {
    name: 'two stars behind it',
    action: READ,
    resource: below('users**'),
    want: ['open-prefix', 'shared-and-personal'],
  },
  {
    name: 'a prefix of users',
    action: READ,
    resource: below('users/a*'),
    want: ['open-prefix', 'shared-and-personal'],
  },
  { name: 'a prefix of nobody yet', action: READ, resource: below('v*'), want: ['open-prefix'] },
  {
    name: 'a star inside of a name',
    action: READ,
    resource: below('u*s/x'),
    want: ['open-prefix', 'shared-and-personal'],
  },
  {
    name: 'a slash first',
    action: READ,
    resource: below('/users/*'),
    want: ['ambiguous-key'],
  },
  { name: 'up again', action: READ, resource: below('users/*/../*'), want: ['ambiguous-key'] },
  { name: 'up from a folder', action: READ, resource: below('shared/../*'), want: ['ambiguous-key'] },
  { name: 'encoded', action: READ, resource: below('users%2F*'), want: ['ambiguous-key', 'open-prefix'] },
  { name: 'no key behind the slash', action: READ, resource: below(''), want: ['ambiguous-key'] },
  { name: 'a shared folder alone, to write', action: WRITE, resource: below('inbox/*'), want: ['shared-write'] },
  {
    name: 'a shared folder alone, to delete',
    action: 'oss:DeleteObject',
    resource: below('inbox/*'),
    want: ['shared-write'],
  },
  {
    name: 'a shared folder alone, to abort uploads',
    action: ['oss:AbortMultipartUpload'],
    resource: below('inbox/*'),
    want: ['shared-write'],
  },
  { name: 'one shared file, to write', action: WRITE, resource: below('inbox/list.csv'), want: ['shared-write'] },
  { name: "an issuer's folder, to write", action: WRITE, resource: below('inbox/${issuer}/*'), want: ['shared-write'] },
  { name: 'a listing', action: 'oss:ListBucket', resource: BUCKET, want: ['list-bucket'] },
  { name: 'a listing in a list', action: ['oss:ListBucket'], resource: [BUCKET], want: ['list-bucket'] },
  { name: 'a listing of uploads', action: 'oss:ListBucketMultipartUploads', resource: BUCKET, want: ['list-bucket'] },
  {
    name: 'a listing of a folder, which there is not',
    action: 'oss:ListBucket',
    resource: below('users/${jwt:sub}/*'),
    want: ['action-level', 'list-bucket'],
  },
  { name: 'every action', action: 'oss:*', resource: BUCKET, want: ['wildcard-action'] },
  { name: 'every action of everything', action: '*', resource: BUCKET, want: ['wildcard-action'] },
  { name: 'every listing', action: 'oss:List*', resource: BUCKET, want: ['wildcard-action'] },
  { name: 'a listing in small letters', action: 'oss:listbucket', resource: BUCKET, want: ['unknown-action'] },
  { name: 'a listing in capitals', action: 'OSS:ListBucket', resource: BUCKET, want: ['unknown-action'] },
  { name: "a listing by AWS's name", action: 's3:ListBucket', resource: BUCKET, want: ['unknown-action'] },
  { name: 'a listing with a space', action: 'oss:ListBucket ', resource: BUCKET, want: ['unknown-action'] },
  { name: 'all buckets', action: 'oss:ListAllMyBuckets', resource: BUCKET, want: ['account-action', 'action-level'] },
  {
    name: 'a claim that users choose',
    action: WRITE,
    resource: below('mail/${jwt:email}/*'),
    want: ['user-chosen-claim'],
  },
  ...USERS_OWN.map((claim) => ({
    name: `a claim that users choose, ${claim}`,
    action: WRITE,
    resource: below(`mail/\${jwt:${claim}}/*`),
    want: ['user-chosen-claim'],
  })),
]

for (const { name, action, resource, want } of rows) {
  t.test(name, async (t) => {
    const set = (accept?: Parts) => ({
      'it.json': text(action, resource, accept && { accept }),
      'personal.json': personal,
    })
    t.strictSame(
      await errorsOf(t, set()),
      want.map((rule) => `it: ${rule}`),
    )
    await t.rejects(loadCatalogue(t.testdir(set()), lintSettings), CatalogueError, 'so that nothing is served')

    const others = ACCEPTABLE_RULES.filter((rule) => !want.includes(rule))
    const otherwise = Object.fromEntries(others.map((rule) => [rule, 'it is right for another reason']))
    t.strictSame(
      await errorsOf(t, set(otherwise)),
      want.map((rule) => `it: ${rule}`),
      'another acceptance says nothing',
    )
    for (const rule of want) {
      const left = want.filter((other) => other !== rule)
      const known = ACCEPTABLE_RULES.some((id) => id === rule)
      const errors = known ? left : [...want, 'unknown-acceptance'].sort()
      const accepted = await errorsOf(t, set({ [rule]: 'it is right for a reason' }))
      t.strictSame(
        accepted,
        errors.map((other) => `it: ${other}`),
        `${rule} says nothing of the others`,
      )
    }
  })
}

t.test('in YAML, as people write it', async (t) => {
  const yaml = (resource: string) => `description: d
allow: { issuer: app }
policy:
  Version: "3"
  Statement:
    - Effect: Allow
      Action: oss:GetObject
      Resource: ${resource}
`
  t.strictSame(await errorsOf(t, { 'a.yaml': yaml('"jrn:oss:*:${account}:${bucket}/*"') }), ['a: whole-bucket'])
  t.strictSame(await errorsOf(t, { 'a.yaml': yaml('["jrn:oss:*:${account}:${bucket}/u*"]') }), ['a: open-prefix'])
  t.strictSame(await errorsOf(t, { 'a.yml': yaml('jrn:oss:*:${account}:${bucket}/*') }), ['a: whole-bucket'])
})
