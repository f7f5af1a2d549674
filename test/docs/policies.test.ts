import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { runExamples } from '../../src/policy/check/examples.ts'
import {
  STALE_ACCEPTANCE,
  settle,
  staleAcceptances,
  UNKNOWN_ACCEPTANCE,
} from '../../src/policy/check/lint/acceptance.ts'
import { COLLIDING_FOLDERS, createFolders, SHARED_AND_PERSONAL } from '../../src/policy/check/lint/colliding-folders.ts'
import { lintTemplate } from '../../src/policy/check/lint/lint.ts'
import { type LintSettings, type LintSubject, lintSubject } from '../../src/policy/check/lint/rule.ts'
import { RULES } from '../../src/policy/check/lint/rules.ts'
import { targetsOf, UNKNOWN_TARGET } from '../../src/policy/check/lint/unknown-target.ts'
import { unmetCondition } from '../../src/policy/claims/allow.ts'
import { claimsSchema } from '../../src/policy/claims/condition.ts'
import { claimText, TRANSFORMS } from '../../src/policy/claims/transform.ts'
import { OPERATION_ACTIONS, OSS_ACTIONS } from '../../src/policy/language/operations.ts'
import { isAcceptable } from '../../src/policy/template/accept.ts'
import { DATE_PATTERNS } from '../../src/policy/template/date.ts'
import { anchorOf } from '../../src/policy/template/finding.ts'
import { paramSchema } from '../../src/policy/template/params.ts'
import { parseTemplate } from '../../src/policy/template/parse.ts'
import { fencedBlocks, headings } from '../helpers/markdown.ts'
import { settings, template } from '../helpers/templates.ts'

const markdown = readFileSync('docs/policies.md', 'utf8')
const sections = headings(markdown)
const blocks = fencedBlocks(markdown).filter(({ language }) => language === 'yaml')
const section = (anchor: string) => sections.find((heading) => heading.anchor === anchor)?.text ?? ''

const one: LintSettings = { ...settings, maxSessionSeconds: 3600, issuers: ['app'] }
const SETTINGS: Readonly<Record<string, LintSettings>> = {
  'ambiguous-issuer': { ...one, issuers: ['app', 'partner'], severalIssuers: true },
  'public-issuer': { ...one, strangers: { app: { sub: 'repo:x/y:ref:refs/heads/main', repository_owner_id: '2' } } },
  'target-of-any-issuer': { ...one, issuers: ['app', 'partner'], severalIssuers: true },
  'unsafe-claim': { ...one, typicalClaims: { app: { sub: 'repo:o/r:ref:refs/heads/main' } } },
}

/** Findings that are not from a rule for one template. */
const OTHERS = [
  ...['syntax', 'schema', 'file', 'example-fails'].map((id) => ({ id, severity: 'error' })),
  ...[COLLIDING_FOLDERS, SHARED_AND_PERSONAL, UNKNOWN_ACCEPTANCE, STALE_ACCEPTANCE, UNKNOWN_TARGET].map(
    ({ rule, severity }) => ({
      id: rule,
      severity,
    }),
  ),
]

type Parts = Readonly<Record<string, unknown>>

const STATEMENT = {
  Effect: 'Allow',
  Action: ['oss:PutObject', 'oss:AbortMultipartUpload'],
  Resource: ['jrn:oss:*:${account}:${bucket}/users/${jwt:sub}/*'],
}
const EXAMPLE = {
  caller: { sub: 'alice' },
  can: ['PutObject users/alice/1.jpg'],
  cannot: ['PutObject users/bob/1.jpg'],
}

/** A fragment inside a sound template; a whole template stays as it is. */
function complete(parts: Parts): Parts {
  if ('description' in parts) return parts
  const entries = Object.entries(parts)
  const ofStatement = entries.filter(([key]) => /^[A-Z]/u.test(key))
  return {
    description: 'Upload.',
    allow: { issuer: 'app' },
    policy: { Version: '3', Statement: [{ ...STATEMENT, ...Object.fromEntries(ofStatement) }] },
    examples: [EXAMPLE],
    ...Object.fromEntries(entries.filter((entry) => !ofStatement.includes(entry))),
  }
}

/** The rules that find something in a block of one template, or of several that form a set. */
function findingsIn(text: string, lintSettings: LintSettings): string[] {
  const documents = parseAllDocuments(text)
  const found = new Set<string>()
  const subjects: LintSubject[] = []
  for (const document of documents) {
    const parts: Parts = document.errors.length > 0 ? {} : document.toJS()
    const whole = document.errors.length > 0 ? text : JSON.stringify(complete(parts))
    const { template, findings = [] } = parseTemplate('x.yaml', 'x', whole)
    for (const { rule } of findings) found.add(rule)
    if (!template) continue
    for (const { rule } of targetsOf(template, lintSettings).findings ?? []) found.add(rule)
    const subject = lintSubject(template, lintSettings)
    const lint = lintTemplate(subject)
    for (const { rule } of lint) found.add(rule)
    if (lint.some(({ severity }) => severity === 'error')) continue
    subjects.push(subject)
    // The examples of the sound template are about its own resource.
    if ('examples' in parts && runExamples(template, lintSettings).some(({ held }) => !held)) found.add('example-fails')
  }
  const folders = createFolders()
  for (const { rule } of subjects.flatMap(folders.add)) found.add(rule)
  const shared = folders.shared()
  for (const subject of subjects) {
    const settled = (shared.get(subject) ?? []).map((finding) => settle(subject.template, finding))
    for (const { rule, severity } of settled) if (severity === 'error') found.add(rule)
    const stale = staleAcceptances(subject.template, [...lintTemplate(subject), ...settled])
    for (const { rule } of stale) found.add(rule)
  }
  return [...found]
}

t.test('the template around the fragments is sound', async (t) => {
  t.strictSame(findingsIn('{ examples: [{ caller: { sub: a }, cannot: [PutObject users/b/1] }] }', one), [])
  const { template } = parseTemplate('x.yaml', 'x', JSON.stringify(complete({})))
  t.strictSame(template && runExamples(template, one).filter(({ held }) => !held), [], 'and its examples hold')
})

for (const { id, severity } of [...RULES, ...OTHERS]) {
  t.test(id, async (t) => {
    const heading = sections.filter(({ anchor }) => anchor === id)
    t.equal(heading.length, 1, `${anchorOf({ rule: id })} is there once`)
    const says = `**${severity === 'error' ? 'Error' : 'Warning'}${isAcceptable(id) ? ', can be accepted' : ''}.** `
    const row = `| [${id}](#${id}) | ${severity} | ${isAcceptable(id) ? 'yes' : 'no'} |\n`
    t.ok(section('what-the-linter-finds').includes(row), 'the table has its row')
    t.match(section(id), new RegExp(`^### ${id}\n\n\\*\\*`, 'u'))
    t.ok(section(id).includes(`\n\n${says}`), `the text says that it is: ${severity}`)
    const [bad, good, ...more] = blocks.filter(({ under }) => under === id)
    if (id === 'file') return t.notOk(bad, 'it has no example')
    if (!bad || !good || more.length > 0) return t.fail('a bad block and a good one')
    t.ok(bad.text.startsWith('# bad\n') && good.text.startsWith('# good\n'), 'each block says which it is')
    t.strictSame(findingsIn(bad.text, SETTINGS[id] ?? one), [id], 'this rule alone finds something in the bad one')
    return t.strictSame(findingsIn(good.text, SETTINGS[id] ?? one), [], 'no rule finds anything in the good one')
  })
}

t.test('templates and fragments in the docs parse', async (t) => {
  for (const { text, under } of blocks.filter(({ text }) => !text.startsWith('# bad\n'))) {
    for (const document of parseAllDocuments(text)) {
      t.strictSame(document.errors, [], under)
      const parts: Parts = document.toJS()
      // A fragment may name parameters that another part of the template uses, and the reverse.
      const { findings } = parseTemplate('x.yaml', 'x', JSON.stringify(complete(parts)))
      t.strictSame(findings, undefined, `under ${under}: ${text.slice(0, 60)}`)
    }
  }
})

t.test('every test of a claim is explained in the order in which they run, with its refusal', async (t) => {
  const rows = [...section('tests-of-a-claim').matchAll(/^\| `(\w+)` \|/gmu)].map(([, test]) => test)
  const every = {
    anyOf: 'a',
    allOf: 'a',
    equals: 'a',
    includes: 'a',
    prefix: 'a',
    present: true,
    atLeast: 1,
    atMost: 1,
    matches: 'a',
  }
  const [condition] = claimsSchema.parse({ claim: every })
  t.strictSame(rows, Object.keys(condition?.tests ?? {}))
  t.notOk(claimsSchema.safeParse({ claim: { ...every, isNot: 'a' } }).success, 'an unknown test is refused')
  const told = section('what-callers-are-told')
  for (const test of rows) t.ok(told.includes(`\`${test}\``), `${test} is in the table of refusals`)
})

t.test('every refusal is listed in the words that callers see', async (t) => {
  const told = section('what-callers-are-told')
  const allow = (tests: unknown) => ({ allow: { claims: { c: tests } } })
  const rows: { parts: Parts; c?: unknown; want: string }[] = [
    { parts: { allow: undefined }, want: 'this policy is for nobody: it has no allow' },
    { parts: { allow: { issuer: 'web' } }, want: "the token's issuer is not accepted" },
    { parts: allow('a'), want: 'is missing' },
    { parts: allow('a'), c: 'b', want: 'does not hold a required value' },
    { parts: allow({ allOf: ['a', 'b'] }), c: 'b', want: 'does not hold every required value' },
    { parts: allow({ equals: 'a' }), c: 'a b', want: 'is not the required value' },
    { parts: allow({ includes: 'a' }), c: 'a', want: 'is not a list with the required item' },
    { parts: allow({ prefix: '/a' }), c: '/ab', want: 'is not below the required path' },
    { parts: allow({ present: true }), c: '', want: 'is empty' },
    { parts: allow({ atLeast: 'now' }), c: 1, want: 'is too low' },
    { parts: allow({ atMost: 'now' }), c: 4e9, want: 'is too high' },
    { parts: allow({ atMost: 5 }), c: '5', want: 'is not a number' },
    { parts: allow({ matches: 'a' }), c: 'ab', want: 'does not have the required form' },
    { parts: { params: { p: { oneOf: 'jwt:c' } } }, c: ['*'], want: 'holds nothing to choose from' },
  ]
  for (const { parts, c, want } of rows) {
    const unmet = unmetCondition(template(parts), { issuer: 'app', claims: { sub: 'alice', c } }, 2e12)
    t.equal(unmet?.replace('claim "c" ', ''), want)
    t.ok(told.includes(want), `${want}: is in the table`)
  }
  const any = { allow: { any: [{ issuer: 'web' }, { claims: { c: 'a' } }] } }
  const unmet = unmetCondition(template(any), { issuer: 'app', claims: { sub: 'alice' } }, 0)
  t.match(unmet, /^no alternative holds: .+; or .+$/u)
  t.ok(told.includes('`no alternative holds: …; or …`'))
})

t.test('a back end computes the name of a hashed folder as the service does', async (t) => {
  const programs = fencedBlocks(markdown).filter(({ under }) => under === 'transforms')
  const want = claimText('system:serviceaccount:ci:builder', 'hash', 'app') ?? ''
  t.ok(section('transforms').includes(`Both print \`${want}\``))
  for (const [language, command] of [
    ['sh', ['sh', '-c']],
    ['python', ['python3', '-c']],
  ] as const) {
    const program = programs.find((block) => block.language === language)?.text ?? ''
    const { error, stdout } = spawnSync(command[0], [command[1], program], { encoding: 'utf8' })
    t.test(language, { skip: error ? `${command[0]} is not here` : false }, async (t) =>
      t.equal(stdout.split(/\s/u, 1)[0], want),
    )
  }
})

t.test('every transform, date pattern and key of a parameter is explained', async (t) => {
  const rows = (anchor: string) => [...section(anchor).matchAll(/^\| `(\w+)` \|/gmu)].map(([, name]) => name)
  t.strictSame(rows('transforms'), [...TRANSFORMS])
  for (const transform of TRANSFORMS)
    t.ok(section('variables').includes(`\`\${jwt:<claim>\\|${transform}}\``), transform)
  for (const pattern of DATE_PATTERNS) t.ok(section('dates').includes(`\`${pattern}\``), pattern)
  const { properties } = z.toJSONSchema(paramSchema, { io: 'input', unrepresentable: 'any' })
  t.strictSame(rows('params').toSorted(), Object.keys(properties ?? {}).toSorted())
})

t.test('every action is listed with its operations', async (t) => {
  const rows = [...section('policy').matchAll(/^\| `(oss:\w+)` \| (\w+) \| (.*) \|$/gmu)]
  const listed = rows.map(([, action, level, operations = '']) => ({
    action,
    level,
    operations: [...operations.matchAll(/`(\w+)`/gu)].map(([, operation]) => operation),
  }))
  const wanted = Object.entries(OSS_ACTIONS).map(([action, level]) => ({
    action,
    level,
    operations: Object.entries(OPERATION_ACTIONS).flatMap(([operation, needed]) =>
      needed === action ? [operation] : [],
    ),
  }))
  t.strictSame(listed, wanted)
})
