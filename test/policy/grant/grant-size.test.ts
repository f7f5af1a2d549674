import t from 'tap'
import { fillIn } from '../../../src/policy/grant/grant.ts'
import { caller, refusal, settings, statement, template } from '../../helpers/templates.ts'

const alice = caller({ sub: 'alice' })
const policyOf = (...paths: string[]) => ({ policy: { Version: '3', Statement: paths.map(statement) } })

t.test('a policy may have 2048 bytes, and not one more', async (t) => {
  const fill = (Sid: string, sub: string) =>
    fillIn(
      template({ policy: { Version: '3', Statement: [{ ...statement('users/${jwt:sub}/*'), Sid }] } }),
      { caller: caller({ sub }) },
      settings,
    )
  const rows = [
    { name: 'one byte a character', sub: 'a'.repeat(128) },
    { name: 'two bytes', sub: 'é'.repeat(128) },
    { name: 'three bytes', sub: '李'.repeat(128) },
    { name: 'four bytes', sub: '𠮷'.repeat(128) },
  ]
  for (const { name, sub } of rows) {
    t.test(name, async (t) => {
      const room = 2048 - Buffer.byteLength(fill('', sub).policy)
      t.equal(Buffer.byteLength(fill('x'.repeat(room), sub).policy), 2048)
      t.strictSame(
        refusal(() => fill('x'.repeat(room + 1), sub)),
        {
          code: 'policy_too_large',
          detail: 'it would be over 2048 bytes',
        },
      )
    })
  }
})

t.test('prefixes of the keys that a grant opens', async (t) => {
  const rows = [
    { name: 'a folder', paths: ['users/${jwt:sub}/*'], want: ['users/alice/'] },
    { name: 'a wildcard inside', paths: ['users/${jwt:sub}/*/x/*'], want: ['users/alice/'] },
    { name: 'one object', paths: ['a/b.txt'], want: ['a/b.txt'] },
    { name: 'the whole bucket', paths: ['*'], want: [''] },
    { name: 'several', paths: ['a/*', 'b/*', 'a/*'], want: ['a/', 'b/'] },
  ]
  for (const { name, paths, want } of rows) {
    t.test(name, async (t) =>
      t.strictSame(fillIn(template(policyOf(...paths)), { caller: alice }, settings).prefixes, want),
    )
  }
  t.test('no prefix for the bucket itself', async (t) => {
    const bucket = { ...statement(''), Action: ['oss:ListBucket'], Resource: ['jrn:oss:*:${account}:${bucket}'] }
    const made = template({ policy: { Version: '3', Statement: [bucket] } })
    t.strictSame(fillIn(made, { caller: alice }, settings).prefixes, [])
  })
})
