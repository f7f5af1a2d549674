import t, { type Test } from 'tap'
import { inspectTemplates } from '../../src/policy/check/catalogue.ts'
import { settings, templateText } from '../helpers/templates.ts'

/** Variables that are never filled in: a condition with one is met by nobody, and a `cannot` with one proves nothing. */
type Parts = Readonly<Record<string, unknown>>

const WRITE = ['oss:PutObject', 'oss:AbortMultipartUpload']
const text = (Action: unknown, Resource: unknown, more: Parts = {}) =>
  templateText({ policy: { Version: '3', Statement: [{ Effect: 'Allow', Action, Resource }] }, ...more })
const below = (key: string) => `jrn:oss:*:\${account}:\${bucket}/${key}`

async function errorsOf(t: Test, files: Record<string, string>): Promise<string[]> {
  const { findings } = await inspectTemplates(t.testdir(files), { ...settings, issuers: ['app'] })
  return findings.filter(({ severity }) => severity === 'error').map(({ rule }) => `it: ${rule}`)
}

t.test('variables where they are only text', async (t) => {
  const parts: { name: string; more: Parts }[] = [
    { name: 'a value', more: { allow: { claims: { sub: '${jwt:sub}' } } } },
    { name: 'a value in a list', more: { allow: { claims: { sub: ['a', '${jwt:sub}'] } } } },
    { name: 'a claim', more: { allow: { claims: { '${jwt:sub}': 'a' } } } },
    { name: 'equals', more: { allow: { claims: { sub: { equals: '${jwt:sub}' } } } } },
    { name: 'prefix', more: { allow: { claims: { sub: { prefix: '/org/${jwt:org}' } } } } },
    { name: 'includes', more: { allow: { claims: { roles: { includes: '${param:role}' } } } } },
    { name: 'allOf', more: { allow: { claims: { roles: { allOf: ['${bucket}'] } } } } },
    { name: 'a pattern that is none by it', more: { allow: { claims: { sub: { matches: '${jwt:sub}-.*' } } } } },
    { name: 'a pattern', more: { allow: { claims: { sub: { matches: '\\$\\{jwt:sub\\}' } } } } },
    { name: 'in an alternative', more: { allow: { any: [{ issuer: 'app' }, { claims: { sub: '${jwt:sub}' } }] } } },
    { name: 'an issuer', more: { allow: { issuer: '${issuer}' } } },
    { name: 'a doubled dollar', more: { allow: { claims: { sub: '$${jwt:sub}' } } } },
    { name: 'not closed', more: { allow: { claims: { sub: '${jwt:sub' } } } },
    { name: 'unknown', more: { allow: { claims: { sub: '${sub}' } } } },
    { name: 'empty', more: { allow: { claims: { sub: '${}' } } } },
    { name: 'in two braces', more: { allow: { claims: { sub: '{{ jwt.sub }}' } } } },
    { name: 'without a dollar', more: { allow: { claims: { sub: '{jwt:sub}' } } } },
    { name: 'without braces', more: { allow: { claims: { sub: '$jwt:sub' } } } },
    { name: 'in round brackets', more: { allow: { claims: { sub: '$(jwt:sub)' } } } },
    { name: 'sharedBy', more: { sharedBy: ['${jwt:team}'] } },
    { name: 'a reason', more: { accept: { 'list-bucket': 'for ${jwt:sub} alone, who is us' } } },
    {
      name: 'a key that must stay shut',
      more: { examples: [{ caller: { sub: 'a' }, cannot: ['PutObject users/${jwt:sub}/1'] }] },
    },
  ]
  for (const { name, more } of parts) {
    t.test(name, async (t) => {
      const errors = await errorsOf(t, { 'it.json': text(WRITE, below('users/${jwt:sub}/*'), more) })
      t.ok(errors.includes('it: variable-as-text'), errors.join())
      t.notOk(errors.includes('it: schema'), 'and is not told as something else')
    })
  }
  for (const [place, resource] of Object.entries({
    'the region': 'jrn:oss:{region}:${account}:${bucket}/users/${jwt:sub}/*',
    'a doubled dollar': below('users/$${jwt:sub}/*'),
    'no dollar': below('users/{jwt:sub}/*'),
    'no braces': below('users/$jwt:sub/*'),
    'not closed': below('users/${jwt:sub/*'),
    'not closed behind': below('users/${jwt:sub}/${/*'),
    'one in another': below('users/${jwt:${param:x}}/*'),
    'the account': 'jrn:oss:*:{account}:${bucket}/users/${jwt:sub}/*',
    'the bucket': 'jrn:oss:*:${account}:{bucket}/users/${jwt:sub}/*',
  })) {
    t.test(`in Resource, ${place}`, async (t) =>
      t.not((await errorsOf(t, { 'it.json': text(WRITE, resource) })).length, 0),
    )
  }
})
