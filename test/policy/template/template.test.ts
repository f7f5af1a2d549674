import t from 'tap'
import { NOT_A_CLAIM } from '../../../src/policy/claims/transform.ts'
import { fillIn } from '../../../src/policy/grant/grant.ts'
import { VALUE_RULE } from '../../../src/policy/language/value.ts'
import { parseTemplate } from '../../../src/policy/template/parse.ts'
import { caller, refusal, settings, statement, template, templateText } from '../../helpers/templates.ts'

const told = (parts: Record<string, unknown>) =>
  parseTemplate('x', 'x', templateText(parts)).findings?.map(({ message }) => message)
const withStatement = (changes: Record<string, unknown>) => ({
  policy: { Version: '3', Statement: [{ ...statement('${jwt:sub}/*'), ...changes }] },
})
const withExample = (...can: string[]) => ({ examples: [{ caller: { sub: 'alice' }, can }] })

t.test('invalid templates', async (t) => {
  const at = 'policy.Statement.0'
  const rows: { name: string; parts: Record<string, unknown>; want: string[] }[] = [
    {
      name: 'an allow without a condition',
      parts: { allow: {} },
      want: ['allow: must have at least one condition; for all users of an issuer, name the issuer'],
    },
    { name: 'an allow without a claim', parts: { allow: { claims: {} } }, want: ['allow.claims: names no claim'] },
    {
      name: 'an unknown variable',
      parts: withStatement({ Resource: '${sub}' }),
      want: [
        `${at}.Resource.0: unknown variable \${sub}: use account, bucket, region, issuer, jwt:<claim>, param:<name> or date:<pattern>`,
      ],
    },
    {
      name: 'an undeclared param',
      parts: withStatement({ Resource: '${param:a}' }),
      want: [`${at}.Resource.0: \${param:a} is not declared under params`],
    },
    {
      name: 'an inherited param',
      parts: withStatement({ Resource: '${param:constructor}' }),
      want: [`${at}.Resource.0: \${param:constructor} is not declared under params`],
    },
    {
      name: 'no seconds',
      parts: { durationSeconds: 0 },
      want: ['durationSeconds: Too small: expected number to be >0'],
    },
    { name: 'no action', parts: withStatement({ Action: undefined }), want: [`${at}.Action: is required`] },
    { name: 'no resource', parts: withStatement({ Resource: undefined }), want: [`${at}.Resource: is required`] },
    {
      name: 'an invalid shared claim',
      parts: { sharedBy: ['a..b'] },
      want: [`sharedBy: ${NOT_A_CLAIM}`],
    },
    {
      name: 'a shared hash, which is as shared as its claim',
      parts: { sharedBy: ['team|hash'] },
      want: ['sharedBy: hash keeps values apart: write team'],
    },
    {
      name: 'an unknown transform of a shared claim',
      parts: { sharedBy: ['team|upper'] },
      want: ['sharedBy: "upper" is not a transform: a claim takes one of hash, lower, domain'],
    },
    {
      name: 'a condition on a transform',
      parts: { allow: { claims: { 'email|lower': 'a@x.ie' } } },
      want: [`allow.claims.email|lower: ${NOT_A_CLAIM}`],
    },
    ...['orgs', 'jwt:', '${jwt:orgs}', 'jwt:orgs|hash', 'JWT:orgs', 'param:x'].map((oneOf) => ({
      name: `oneOf: ${oneOf}`,
      parts: { params: { a: { oneOf } } },
      want: [
        oneOf === 'jwt:'
          ? `params.a.oneOf: ${NOT_A_CLAIM}`
          : 'params.a.oneOf: takes a claim of the token, without a transform: jwt:<claim>',
      ],
    })),
    {
      name: 'oneOf of a list',
      parts: { params: { a: { oneOf: ['a', 'b'] } } },
      want: ['params.a.oneOf: takes a claim of the token: jwt:<claim>'],
    },
    {
      name: 'oneOf for a path',
      parts: { params: { a: { oneOf: 'jwt:groups', kind: 'path' } } },
      want: ['params.a.oneOf: does not go with kind: path'],
    },
    ...['*', 'a/b', '', '..', 'a\nb'].map((usual) => ({
      name: `the default ${JSON.stringify(usual)}`,
      parts: { params: { a: { default: usual } } },
      want: [`params.a.default: must be ${VALUE_RULE}`],
    })),
    {
      name: 'a default that the pattern refuses',
      parts: { params: { a: { default: 'main', pattern: '[0-9]+' } } },
      want: ['params.a.default: does not match the pattern'],
    },
    {
      name: 'a default that is no text',
      parts: { params: { a: { default: true } } },
      want: ['params.a.default: takes a text or a whole number'],
    },
    {
      name: 'an example of a dated folder without its day',
      parts: { ...withStatement({ Resource: '${date:yyyy}' }), ...withExample('PutObject a') },
      want: ['examples.0: needs at, the day of its request, because a resource has a date: at: "2026-03-01"'],
    },
    ...['2026-02-30', '2026-13-01', 'tomorrow', 20260301, '2026-03-01T12:00:00+08:00', '2026-03-01 12:00:00'].map(
      (at) => ({
        name: `an example at ${at}`,
        parts: { examples: [{ caller: { sub: 'a' }, at, cannot: ['ListBuckets'] }] },
        want: ['examples.0.at: takes a day or a time in UTC: 2026-03-01 or 2026-03-01T23:59:59Z'],
      }),
    ),
    { name: 'a param of a bad name', parts: { params: { 'a b': {} } }, want: ['params.a b: is not a parameter name'] },
    {
      name: 'an invalid pattern',
      parts: { params: { a: { pattern: '(' } } },
      want: ['params.a.pattern: is not a regular expression: unterminated group'],
    },
    {
      name: 'a pattern that leaves its anchors',
      parts: { params: { a: { pattern: 'a)|(?:b' } } },
      want: ["params.a.pattern: is not a regular expression: unmatched ')'"],
    },
    {
      name: 'an example that shows nothing',
      parts: { examples: [{ caller: { sub: 'a' } }] },
      want: ['examples.0: shows nothing: give can, cannot or both'],
    },
    {
      name: 'an example without a subject',
      parts: { examples: [{ caller: {}, can: ['ListBuckets'] }] },
      want: ['examples.0.caller.sub: is required'],
    },
    {
      name: 'an unknown operation',
      parts: withExample('Put users/a'),
      want: ['examples.0.can.0: does not start with an S3 operation such as PutObject'],
    },
    {
      name: 'an inherited operation',
      parts: withExample('constructor x'),
      want: ['examples.0.can.0: does not start with an S3 operation such as PutObject'],
    },
    {
      name: 'an operation without its key',
      parts: withExample('PutObject'),
      want: ['examples.0.can.0: PutObject needs a key'],
    },
    {
      name: 'a key too much',
      parts: withExample('ListObjectsV2 users/'),
      want: ['examples.0.can.0: ListObjectsV2 takes no key'],
    },
  ]
  for (const { name, parts, want } of rows) t.test(name, async (t) => t.strictSame(told(parts), want))
})

t.test('a template without allow loads, and refuses everybody', async (t) => {
  const made = template({ allow: undefined })
  t.strictSame(
    refusal(() => fillIn(made, { caller: caller({ sub: 'alice' }) }, settings)),
    {
      code: 'policy_not_allowed',
      detail: 'this policy is for nobody: it has no allow',
    },
  )
})

t.test('every pattern is anchored at both ends', async (t) => {
  const rows = [
    { pattern: 'a|b', good: ['a', 'b'], bad: ['ab', 'ax', 'xb', 'a\n', ''] },
    { pattern: '^a$', good: ['a'], bad: ['ba', 'a\n'] },
    { pattern: '.', good: ['a', '\u{1f642}'], bad: ['ab', '\n'] },
    { pattern: '\\p{Lu}', good: ['É'], bad: ['é'] },
  ]
  for (const { pattern, good, bad } of rows) {
    const compiled = template({ params: { p: { pattern } } }).params.p?.pattern
    for (const value of good) t.ok(compiled?.test(value), `${pattern} takes ${JSON.stringify(value)}`)
    for (const value of bad) t.notOk(compiled?.test(value), `${pattern} refuses ${JSON.stringify(value)}`)
  }
})

t.test('a template larger than any policy is refused before rules compare pairs', async (t) => {
  const many = (count: number, of: (index: number) => string) => Array.from({ length: count }, (_, index) => of(index))
  const resource = (index: number) => `jrn:oss:*:\${account}:\${bucket}/f${index}/*`
  const line = { caller: { sub: 'a' }, cannot: ['ListBuckets'] }
  const rows: { name: string; most: number; parts: (count: number) => Record<string, unknown> }[] = [
    { name: 'actions', most: 16, parts: (count) => withStatement({ Action: many(count, () => 'oss:PutObject') }) },
    { name: 'resources', most: 64, parts: (count) => withStatement({ Resource: many(count, resource) }) },
    {
      name: 'statements',
      most: 32,
      parts: (count) => ({ policy: { Version: '3', Statement: Array(count).fill(statement('a/*')) } }),
    },
    {
      name: 'params',
      most: 32,
      parts: (count) => ({ params: Object.fromEntries(many(count, (n) => `p${n}`).map((p) => [p, {}])) }),
    },
    { name: 'examples', most: 200, parts: (count) => ({ examples: Array(count).fill(line) }) },
  ]
  for (const { name, most, parts } of rows) {
    t.equal(told(parts(most)), undefined, `${most} ${name}`)
    t.equal(told(parts(most + 1))?.length, 1, `${most + 1} ${name}`)
  }
})
