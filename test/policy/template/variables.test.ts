import fc from 'fast-check'
import t from 'tap'
import { NOT_A_CLAIM } from '../../../src/policy/claims/transform.ts'
import { compileResource, VariableError } from '../../../src/policy/template/variables.ts'

const literal = (text: string) => ({ kind: 'literal', text })
const date = (unit: string) => ({ kind: 'date', unit })
const url = (claim: string, transform?: string) => ({
  kind: 'jwt',
  claim,
  path: [claim.replaceAll('"', '')],
  ...(transform !== undefined && { transform }),
})
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
    { input: '${jwt:sub|hash}', want: [{ ...jwt('sub'), transform: 'hash' }] },
    { input: '${jwt:org.email|lower}', want: [{ ...jwt('org.email'), transform: 'lower' }] },
    { input: '${jwt:https://a.test/x|domain}', want: [url('https://a.test/x', 'domain')] },
    { input: '${jwt:"a|b"}', want: [{ kind: 'jwt', claim: '"a|b"', path: ['a|b'] }] },
    { input: '${jwt:"a|hash"|hash}', want: [{ kind: 'jwt', claim: '"a|hash"', path: ['a|hash'], transform: 'hash' }] },
    { input: '${jwt:"https://a.test/x|y"}', want: [url('"https://a.test/x|y"')] },
    { input: '${jwt:hash}', want: [jwt('hash')] },
    { input: '${date:yyyy-MM-dd}', want: [{ kind: 'date', unit: 'yyyy-MM-dd' }] },
    { input: '${date:yyyy/MM/dd}', want: [date('yyyy'), literal('/'), date('MM'), literal('/'), date('dd')] },
    { input: '${date:yyyy/MM}x', want: [date('yyyy'), literal('/'), date('MM'), literal('x')] },
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
    `unknown variable \${${name}}: use account, bucket, region, issuer, jwt:<claim>, param:<name> or date:<pattern>`
  const notAClaim = (name: string) => `\${jwt:${name}}: ${NOT_A_CLAIM}`
  const noTransform = (name: string, transform: string, meant = '') =>
    `\${jwt:${name}}: ${JSON.stringify(transform)} is not a transform: a claim takes one of hash, lower, domain${meant}`
  const noDate = (name: string) =>
    `\${date:${name}}: the patterns of a date are yyyy/MM/dd, yyyy/MM, yyyy, yyyy-MM-dd, yyyy-MM`
  const unclosed = 'a variable is not closed: write ${name}'
  const rows = [
    ...[
      '',
      'jwt',
      'jwt:',
      'param:',
      'sub',
      'Account',
      ' account',
      'account ',
      'date',
      'date:',
      'issuer|hash',
      'region|lower',
    ].map((name) => ({
      input: `x\${${name}}`,
      want: unknown(name),
    })),
    ...['JWT:sub', ' jwt:sub', 'env:HOME', 'constructor', 'toString', '__proto__', 'jwt:\n', 'jwt:a\nb'].map(
      (name) => ({
        input: `\${${name}}x`,
        want: unknown(name),
      }),
    ),
    ...['a..b', '.a', 'a.', '|hash', 'sub |hash', '"a|hash', '"a"b|hash', '""|hash'].map((name) => ({
      input: `\${jwt:${name}}`,
      want: notAClaim(name),
    })),
    ...['|', '|hash|', '|hash|hash', '|lower|hash', '|*', '|constructor', '|__proto__', '|sha256'].map((rest) => ({
      input: `\${jwt:sub${rest}}`,
      want: noTransform(`sub${rest}`, rest.slice(1)),
    })),
    ...['HASH', 'Hash', ' hash', 'hash ', 'hahs'].map((transform) => ({
      input: `\${jwt:sub|${transform}}`,
      want: noTransform(`sub|${transform}`, transform, '; did you mean hash?'),
    })),
    { input: '${jwt:a|b|hash}', want: noTransform('a|b|hash', 'b|hash') },
    { input: '${jwt:https://a.test/x|y}', want: noTransform('https://a.test/x|y', 'y') },
    ...['x|hash', '|hash', 'x|'].map((name) => ({
      input: `\${param:${name}}`,
      want: `\${param:${name}}: a parameter takes no transform; limit it by a pattern`,
    })),
    ...[
      'YYYY',
      'yyyy/mm/dd',
      'MM',
      'dd',
      'yyyy/MM/dd/HH',
      ' yyyy',
      'yyyy/',
      '*',
      '../x',
      'constructor',
      'yyyy|hash',
    ].map((name) => ({ input: `\${date:${name}}`, want: noDate(name) })),
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
