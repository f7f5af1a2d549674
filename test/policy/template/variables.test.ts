import fc from 'fast-check'
import t from 'tap'
import { compileResource, VariableError } from '../../../src/policy/template/variables.ts'

const literal = (text: string) => ({ kind: 'literal', text })
const jwt = (claim: string) => ({ kind: 'jwt', claim, path: claim.split('.') })

t.test('literals and variables', async (t) => {
  const rows = [
    { input: '', want: [] },
    { input: 'plain', want: [literal('plain')] },
    { input: '${account}', want: [{ kind: 'account' }] },
    { input: '${bucket}', want: [{ kind: 'bucket' }] },
    { input: '${region}', want: [{ kind: 'region' }] },
    { input: '${issuer}', want: [{ kind: 'issuer' }] },
    { input: '${jwt:sub}', want: [jwt('sub')] },
    { input: '${jwt:org.team}', want: [jwt('org.team')] },
    { input: '${jwt:__proto__}', want: [jwt('__proto__')] },
    { input: '${param:album}', want: [{ kind: 'param', name: 'album' }] },
    { input: 'a${jwt:sub}b${bucket}', want: [literal('a'), jwt('sub'), literal('b'), { kind: 'bucket' }] },
    { input: '${account}${bucket}', want: [{ kind: 'account' }, { kind: 'bucket' }] },
    { input: '$${jwt:sub}', want: [literal('$'), jwt('sub')] },
    { input: '{${jwt:sub}}', want: [literal('{'), jwt('sub'), literal('}')] },
    { input: 'a$b{c}d*', want: [literal('a$b{c}d*')] },
  ]
  for (const { input, want } of rows) t.test(input, async (t) => t.strictSame(compileResource(input), want))
})

t.test('invalid variables', async (t) => {
  const unknown = (name: string) =>
    `unknown variable \${${name}}: use account, bucket, region, issuer, jwt:<claim> or param:<name>`
  const unclosed = 'a variable is not closed: write ${name}'
  const rows = [
    ...['', 'jwt', 'jwt:', 'param:', 'sub', 'Account', ' account', 'account ', 'jwt:a..b', 'jwt:.a', 'jwt:a.'].map(
      (name) => ({
        input: `x\${${name}}`,
        want: unknown(name),
      }),
    ),
    ...['JWT:sub', ' jwt:sub', 'env:HOME', 'constructor', 'toString', '__proto__', 'jwt:\n', 'jwt:a\nb'].map(
      (name) => ({
        input: `\${${name}}x`,
        want: unknown(name),
      }),
    ),
    { input: '${', want: unclosed },
    { input: '${jwt:sub', want: unclosed },
    { input: '${jwt:sub/*', want: unclosed },
    { input: 'a${b${jwt:sub}', want: unclosed },
    { input: '${${jwt:sub}}', want: unclosed },
    { input: '${jwt:${jwt:sub}}', want: unclosed },
    { input: '${jwt:{sub}}', want: unclosed },
    { input: '${bucket}${', want: unclosed },
  ]
  for (const { input, want } of rows) {
    t.test(JSON.stringify(input), async (t) => t.throws(() => compileResource(input), new VariableError(want)))
  }
})

t.test('parts written out again are the text', async (t) => {
  const pieces = fc.constantFrom(
    '$',
    '{',
    '}',
    '${',
    'a',
    ':',
    '*',
    '${bucket}',
    '${jwt:a.b}',
    '${param:p}',
    '${jwt:',
    'sub}',
  )
  let compiled = 0
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 10 }), (list) => {
      const text = list.join('')
      try {
        const parts = compileResource(text)
        compiled++
        const written = parts.map((part) => {
          if (part.kind === 'literal') return part.text
          if (part.kind === 'jwt') return `\${jwt:${part.claim}}`
          return part.kind === 'param' ? `\${param:${part.name}}` : `\${${part.kind}}`
        })
        const open = parts.some((part) => part.kind === 'literal' && part.text.includes('${'))
        return written.join('') === text && !open
      } catch (error) {
        return error instanceof VariableError
      }
    }),
    { numRuns: 2000 },
  )
  t.ok(compiled > 200, 'many texts compile')
})
