import fc from 'fast-check'
import t from 'tap'
import type { Policy } from '../../../src/policy/language/document.ts'
import { evaluate } from '../../../src/policy/language/evaluate.ts'
import { allowsPrefix } from '../../../src/policy/language/prefix.ts'

const JRN = 'jrn:oss:cn-north-1:111111111111:test-app/'
const statement = (key: string, Effect: 'Allow' | 'Deny' = 'Allow', Action = 'oss:PutObject') => ({
  Effect,
  Action: [Action],
  Resource: [key === '*' ? key : `jrn:oss:*:111111111111:test-app/${key}`],
})
const policy = (...Statement: ReturnType<typeof statement>[]): Policy => ({ Version: '3', Statement })
const allows = (one: Policy, prefix: string) => allowsPrefix(one, 'oss:PutObject', JRN + prefix)

t.test('every key with the prefix must be allowed', async (t) => {
  const own = statement('users/alice/*')
  const rows = [
    { name: 'the folder', policy: policy(own), prefix: 'users/alice/', want: true },
    { name: 'a folder in it', policy: policy(own), prefix: 'users/alice/a/b', want: true },
    { name: 'the folder without its slash', policy: policy(own), prefix: 'users/alice', want: false },
    { name: 'the folder above', policy: policy(own), prefix: 'users/', want: false },
    { name: 'another folder', policy: policy(own), prefix: 'users/bob/', want: false },
    { name: 'a * is a letter', policy: policy(own), prefix: 'users/*', want: false },
    { name: 'one ending alone', policy: policy(statement('users/alice/*.png')), prefix: 'users/alice/', want: false },
    { name: 'one key alone', policy: policy(statement('users/alice/a')), prefix: 'users/alice/a', want: false },
    { name: 'another action', policy: policy(statement('*', 'Allow', 'oss:GetObject')), prefix: 'a', want: false },
    { name: 'everything', policy: policy(statement('*')), prefix: 'a', want: true },
    {
      name: 'two halves are not a whole',
      policy: policy(statement('a/*.png'), statement('a/*.jpg')),
      prefix: 'a/',
      want: false,
    },
    {
      name: 'a part denied',
      policy: policy(own, statement('users/alice/a/*', 'Deny')),
      prefix: 'users/alice/',
      want: false,
    },
    {
      name: 'inside of what is denied',
      policy: policy(own, statement('users/*', 'Deny')),
      prefix: 'users/alice/',
      want: false,
    },
    { name: 'all denied', policy: policy(own, statement('*', 'Deny')), prefix: 'users/alice/', want: false },
    { name: 'an ending denied', policy: policy(own, statement('*.exe', 'Deny')), prefix: 'users/alice/', want: false },
    {
      name: 'beside what is denied',
      policy: policy(own, statement('users/bob/*', 'Deny')),
      prefix: 'users/alice/',
      want: true,
    },
    {
      name: 'another action denied',
      policy: policy(own, statement('*', 'Deny', 'oss:GetObject')),
      prefix: 'users/alice/',
      want: true,
    },
  ]
  for (const { name, policy, prefix, want } of rows) t.equal(allows(policy, prefix), want, name)
})

t.test('whatever the policy, an allowed prefix has no key that is refused', async (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '*', 'ü'), maxLength: 6 })
  const effect = fc.constantFrom<('Allow' | 'Deny')[]>('Allow', 'Allow', 'Deny')
  const policies = fc.array(fc.tuple(text, effect), { minLength: 1, maxLength: 4 })
  let allowed = 0
  fc.assert(
    fc.property(policies, text, text, (statements, prefix, suffix) => {
      const one = policy(...statements.map(([key, Effect]) => statement(key, Effect)))
      if (!allows(one, prefix)) return true
      allowed++
      return evaluate(one, { action: 'oss:PutObject', resource: JRN + prefix + suffix }).allowed
    }),
    { numRuns: 20_000 },
  )
  t.ok(allowed > 1000, `${allowed} were allowed`)
})
