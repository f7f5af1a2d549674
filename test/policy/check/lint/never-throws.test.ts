import fc from 'fast-check'
import t from 'tap'
import { runExamples } from '../../../../src/policy/check/examples.ts'
import { createFolders } from '../../../../src/policy/check/lint/colliding-folders.ts'
import { lintTemplate } from '../../../../src/policy/check/lint/lint.ts'
import { lintSubject } from '../../../../src/policy/check/lint/rule.ts'
import { parseTemplate } from '../../../../src/policy/template/parse.ts'
import { settings, templateText } from '../../../helpers/templates.ts'

/** A rule that throws would keep a whole set from being loaded, and nobody would be told which file it is. */
const pieces = (...list: string[]) => fc.array(fc.constantFrom(...list), { maxLength: 6 }).map((list) => list.join(''))

const resource = fc.oneof(
  pieces(
    ...['jrn:', 'oss:', '*:', ':', '/', '*', 'a', '-', '.', '${account}', '${bucket}', '${region}', '${issuer}'],
    ...['${jwt:sub}', '${jwt:a.b}', '${jwt:"x.y"}', '${jwt:https://a/b}', '${param:x}', '${param:dir}', '\uE000', '\0'],
    ...[
      '${jwt:sub|hash}',
      '${jwt:a.b|lower}',
      '${jwt:"x|y"|domain}',
      '${param:org}',
      '${date:yyyy/MM/dd}',
      '${date:yyyy-MM}',
    ],
  ),
  pieces(
    'a',
    '/',
    '*',
    '${jwt:sub}',
    '${jwt:sub|hash}',
    '${jwt:email|domain}',
    '${param:org}',
    '${date:yyyy/MM}',
    '${issuer}',
    '${param:dir}',
    '${param:x}',
    '${jwt:team}',
    '.',
    'ü',
    '𠮷',
  ).map((key) => `jrn:oss:*:\${account}:\${bucket}/${key}`),
  fc
    .constantFrom('users/${jwt:sub}/*', 'users/${issuer}/${jwt:sub}/${param:x}/*')
    .map((key) => `jrn:oss:*:\${account}:\${bucket}/${key}`),
  fc.string({ minLength: 1 }),
)
const isPattern = (source: string) => {
  try {
    return new RegExp(source, 'u').source.length <= 256 && source !== ''
  } catch {
    return false
  }
}
// One that backtracks takes its time to be found out.
const wild = pieces(
  ...['a', '.', '[a-z]', '[^/]', '\\w', '\\p{L}', '\\b', '(?=a)', '(?!a)', '(?<=a)', '(?<n>a)', '\\k<n>', '\\1'],
  ...['(a)', '(?:a|b)', '(', ')', '|', '*', '+', '?', '{2,3}', '{0}', '^', '$', '[]', '[^]', '\\u{1F600}', '𠮷'],
  ...['(a+)', '\\0', '\\cA', '-', '/', '[𠮷-𠮹]', '[\\d-]', '{99999}'],
).filter(isPattern)
const pattern = fc.oneof({ weight: 12, arbitrary: fc.constantFrom('[a-z]+', 'a|b') }, { weight: 1, arbitrary: wild })
const scalar = fc.oneof(fc.string({ minLength: 1 }), fc.integer(), fc.boolean(), fc.constantFrom('x', 7))
const tests = fc.oneof(
  scalar,
  fc.record({ anyOf: fc.array(scalar, { minLength: 1, maxLength: 2 }), matches: pattern }, { requiredKeys: ['anyOf'] }),
  fc.record({ matches: pattern, atLeast: fc.constantFrom(7, 'now'), equals: scalar }, { requiredKeys: ['matches'] }),
)
const claims = fc.dictionary(fc.constantFrom('sub', 'team', 'a.b', '"x.y"', 'https://a/b'), tests, {
  minKeys: 1,
  maxKeys: 2,
})
const issuer = fc.constantFrom('app', 'web', 'no')
const terms = fc.oneof(fc.record({ issuer }), fc.record({ claims }), fc.record({ issuer, claims }))
const allow = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ issuer: 'app' }) },
  { weight: 1, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: terms },
  { weight: 1, arbitrary: fc.record({ any: fc.array(terms, { minLength: 1, maxLength: 2 }) }) },
)
const operation = fc.constantFrom('PutObject users/a/1', 'ListBuckets', 'GetObject x/users/a/1', 'PutObject *')
const parts = fc.record(
  {
    allow,
    accept: fc.dictionary(
      fc.constantFrom('shared-write', 'whole-bucket', 'no-abort', 'constructor', '${jwt:sub}'),
      fc.constantFrom('it is meant for a reason', '${jwt:sub} is meant'),
      { maxKeys: 2 },
    ),
    sharedBy: fc.constantFrom('team', 'sub', '"x.y"', 'sub|lower', 'a.b'),
    params: fc.record({
      x: fc.record({ pattern }, { requiredKeys: [] }),
      dir: fc.record({ kind: fc.constant('path'), pattern }, { requiredKeys: ['kind'] }),
      org: fc.record(
        { oneOf: fc.constantFrom('jwt:orgs', 'jwt:a.b', 'jwt:sub'), pattern, default: fc.constantFrom('a', 7) },
        { requiredKeys: ['oneOf'] },
      ),
    }),
    durationSeconds: fc.constantFrom(3600, 1, 43_200, 1e9),
    policy: fc.record({
      Version: fc.constant('3'),
      Statement: fc.array(
        fc.record(
          {
            Effect: fc.constantFrom('Allow', 'Allow', 'Allow', 'Deny'),
            Action: fc.oneof(
              fc.constantFrom('oss:PutObject', 'oss:PutObject', 'oss:*', 'oss:ListBucket', 'constructor'),
              fc.string({ minLength: 1 }),
            ),
            Resource: fc.array(resource, { minLength: 1, maxLength: 3 }),
            Condition: fc.anything(),
          },
          { requiredKeys: ['Effect', 'Action', 'Resource'] },
        ),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    examples: fc.array(
      fc.record({
        caller: fc.record({ sub: fc.constantFrom('a', '*'), team: scalar, issuer: fc.constantFrom('app', 'web', '') }),
        at: fc.constantFrom('2026-03-01', '2026-03-01T23:59:59Z'),
        params: fc.constantFrom({}, { x: 'a', dir: 'a/b' }, { x: 'a', dir: 'a/b', org: 'a' }),
        can: fc.array(operation, { maxLength: 2 }),
        cannot: fc.array(operation, { minLength: 1, maxLength: 2 }),
      }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['policy'] },
)

t.test('the linter ends on every template, and says what is wrong', async (t) => {
  const lintSettings = { ...settings, issuers: ['app', 'web'], severalIssuers: true }
  const seen = { parsed: 0, found: new Set<string>() }
  const property = fc.property(parts, (parts) => {
    const { template, findings } = parseTemplate('a.yaml', 'a', templateText(parts))
    if (!template) return findings.length > 0
    seen.parsed++
    const subject = lintSubject(template, lintSettings)
    const found = lintTemplate(subject)
    for (const { rule } of found) seen.found.add(rule)
    const folders = createFolders()
    folders.add(subject)
    folders.shared()
    if (found.every(({ severity }) => severity !== 'error')) {
      runExamples(template, lintSettings)
    }
    return true
  })
  fc.assert(property, { numRuns: 500 })
  t.ok(seen.parsed > 200, `${seen.parsed} were templates`)
  t.ok(seen.found.size > 15, `${seen.found.size} rules found something`)
})
