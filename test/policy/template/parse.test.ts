import t from 'tap'
import { placeOf } from '../../../src/policy/template/finding.ts'
import { parseTemplate } from '../../../src/policy/template/parse.ts'
import { templateText } from '../../helpers/templates.ts'

const STATEMENT =
  '    - {Effect: Allow, Action: oss:PutObject, Resource: "jrn:oss:*:${account}:${bucket}/${jwt:sub}/*"}\n'
const GOOD = `description: d\nallow:\n  issuer: app\npolicy:\n  Version: "3"\n  Statement:\n${STATEMENT}`

const told = (text: string) =>
  parseTemplate('x.yaml', 'x', text).findings?.map((finding) => `${placeOf(finding)}: ${finding.message}`)

t.test('YAML and JSON are compiled', async (t) => {
  const yaml = parseTemplate('x.yaml', 'x', `# ours\n${GOOD}`)
  t.match(yaml.template, {
    name: 'x',
    description: 'd',
    allow: { issuer: ['app'] },
    params: {},
    sharedBy: [],
    durationSeconds: 3600,
    examples: [],
    statements: [
      {
        effect: 'Allow',
        actions: ['oss:PutObject'],
        resources: [
          [
            { kind: 'literal', text: 'jrn:oss:*:' },
            { kind: 'account' },
            { kind: 'literal', text: ':' },
            { kind: 'bucket' },
            { kind: 'literal', text: '/' },
            { kind: 'jwt', claim: 'sub', path: ['sub'] },
            { kind: 'literal', text: '/*' },
          ],
        ],
        conditional: false,
        forbidden: [],
      },
    ],
  })
  t.ok(Object.isFrozen(yaml.template))
  t.equal(parseTemplate('x.json', 'x', templateText()).findings, undefined)
})

t.test('errors have a line and a column', async (t) => {
  const rows: { name: string; text: string; want: string[] }[] = [
    {
      name: 'an unknown key',
      text: `${GOOD}durationSecond: 1\n`,
      want: ['x.yaml:8:1: durationSecond: is not a known key'],
    },
    {
      name: 'an unknown key inside',
      text: GOOD.replace('  issuer: app', '  issuer: app\n  claim: {scope: x}'),
      want: ['x.yaml:4:3: allow.claim: is not a known key'],
    },
    {
      name: 'an unknown key of a statement, in flow style',
      text: GOOD.replace('{Effect: Allow', '{principal: "*", Effect: Allow'),
      want: ['x.yaml:7:8: policy.Statement.0.principal: is not a known key'],
    },
    { name: 'a key twice', text: `${GOOD}description: e\n`, want: ['x.yaml:8:1: Map keys must be unique'] },
    {
      name: 'a key twice, deep',
      text: GOOD.replace('Allow,', 'Allow, Effect: Deny,'),
      want: ['x.yaml:7:23: Map keys must be unique'],
    },
    { name: 'an unknown tag', text: GOOD.replace(': d', ': !x d'), want: ['x.yaml:1:14: Unresolved tag: !x'] },
    {
      name: 'a tag that makes a list a set',
      text: GOOD.replace(': app', ': !!set {app}'),
      want: ['x.yaml:3:3: allow.issuer: takes the short name of an issuer, or a list of them'],
    },
    {
      name: 'an unknown anchor',
      text: GOOD.replace(': d', ': *d'),
      want: ['x.yaml:1:14: no anchor &d stands before it'],
    },
    {
      name: 'two documents',
      text: `${GOOD}---\n${GOOD}`,
      want: ['x.yaml:8:1: Source contains multiple documents; please use YAML.parseAllDocuments()'],
    },
    {
      name: 'bad indentation',
      text: GOOD.replace('  Version', ' Version'),
      want: ['x.yaml:6:1: All mapping items must start at the same column'],
    },
    { name: 'a number as a key', text: `${GOOD}7: 8\n`, want: ['x.yaml:8:1: 7: is not a known key'] },
    {
      name: 'a mapping as a key',
      text: `${GOOD}? {a: b}\n: c\n`,
      want: ['x.yaml:8:3: With stringKeys, all keys must be strings'],
    },
    { name: 'a merge key', text: `${GOOD}<<: {description: e}\n`, want: ['x.yaml:8:1: <<: is not a known key'] },
    {
      name: '__proto__',
      text: `${GOOD}__proto__: {allow: {}}\n`,
      want: ['x.yaml:8:1: __proto__ cannot be used as a key'],
    },
    {
      name: '__proto__ as a condition, which zod would drop',
      text: GOOD.replace('  issuer: app', '  claims: {scope: up, __proto__: admin}'),
      want: ['x.yaml:3:23: __proto__ cannot be used as a key'],
    },
    {
      name: '__proto__ in quotes, as a param',
      text: `${GOOD}params: {"__pro\\u0074o__": {pattern: a}}\n`,
      want: ['x.yaml:8:10: __proto__ cannot be used as a key'],
    },
    { name: 'empty', text: '', want: ['x.yaml: is empty'] },
    { name: 'text', text: 'hello', want: ['x.yaml:1:1: must be a mapping, with a key: value on each line'] },
    { name: 'a list', text: '- a', want: ['x.yaml:1:1: must be a mapping, with a key: value on each line'] },
    {
      name: 'no description',
      text: GOOD.replace('description: d\n', ''),
      want: ['x.yaml:1:1: description: is required'],
    },
    {
      name: 'two faults, in order',
      text: `${GOOD.replace('description: d', 'description: 7')}x: 1\n`,
      want: ['x.yaml:1:1: description: must be a text', 'x.yaml:8:1: x: is not a known key'],
    },
    { name: 'Version', text: GOOD.replace('"3"', '"2"'), want: ['x.yaml:5:3: policy.Version: must be "3"'] },
  ]
  for (const { name, text, want } of rows) t.test(name, async (t) => t.strictSame(told(text), want))
})

t.test('a mistyped key gets a suggestion', async (t) => {
  const remedies = (text: string) => parseTemplate('x.yaml', 'x', text).findings?.map(({ remedy }) => remedy)
  t.strictSame(remedies(`${GOOD}durationSecond: 1\n`), ['did you mean durationSeconds?'])
  t.match(remedies(GOOD.replace('issuer: app', 'claims: {level: {atleast: 3}}')), ['did you mean atLeast?', /schema/u])
  t.match(remedies(`${GOOD}zzzzzz: 1\n`), [/schema/u])
  for (const key of ['x', 'a', 'Efect', 'issuers', 'enum']) {
    t.match(remedies(`${GOOD}${key}: 1\n`), [/schema/u], `${key} has no place at the top`)
  }
  t.match(remedies(GOOD.replace('issuer: app', 'issuers: app')), [/schema/u, 'did you mean issuer?'])
  t.match(remedies(GOOD.replace('issuer: app', 'any: [{claims: {a: {enum: b}}}]')), ['did you mean anyOf?'])
  t.match(remedies(`${GOOD}params: {any: {patern: a}}\n`), ['did you mean pattern?'])
  t.match(remedies(`${GOOD}examples: [{caler: {sub: a}}]\n`), [/schema|required/u, 'did you mean caller?'])
})

t.test('aliases', async (t) => {
  const twice = GOOD.replace('issuer: app', 'issuer: &app app\n  claims: {client: *app}')
  t.equal(told(twice), undefined, 'some are fine')
  const levels = Array.from({ length: 9 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(10).fill(`*a${n}`).join(', ')}]`)
  t.strictSame(told(['a0: &a0 [x]', ...levels].join('\n')), ['x.yaml: uses too many aliases'], 'a thousand million not')
  t.strictSame(told(`a: &a [x]\nb: [${Array(33).fill('*a').join(', ')}]`), ['x.yaml: uses too many aliases'])
  t.strictSame(told('a: &a [*a]'), ['x.yaml:1:8: *a refers to itself'], 'an alias of itself is refused')
  t.strictSame(told('a: &a {b: {c: *a}}'), ['x.yaml:1:15: *a refers to itself'])
})
