import { symlinkSync } from 'node:fs'
import t, { type Test } from 'tap'
import { CatalogueError, loadCatalogue } from '../../../src/policy/check/catalogue.ts'
import type { LintSettings } from '../../../src/policy/check/lint/rule.ts'
import { placeOf } from '../../../src/policy/template/finding.ts'
import { settings, templateText } from '../../helpers/templates.ts'

type Files = Parameters<Test['testdir']>[0]

const one: LintSettings = { ...settings, issuers: ['app'] }
const good = templateText()

/** The errors of a directory, without the directory. */
async function told(directory: string, lintSettings = one): Promise<string[]> {
  try {
    await loadCatalogue(directory, lintSettings)
    return []
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error
    const lines = error.findings.map((finding) => `${placeOf(finding)}: ${finding.message}`)
    return lines.map((line) => line.replace(`${directory}/`, '').replace(directory, '.'))
  }
}
const load = async (directory: string) => (await loadCatalogue(directory, one)).catalogue

t.test('every template of a directory loads under its name', async (t) => {
  const rows: { name: string; files: Files; want: string[] }[] = [
    { name: 'each ending', files: { 'a.yaml': good, 'b.yml': good, 'c.json': good }, want: ['a', 'b', 'c'] },
    { name: 'in order', files: { 'z.yaml': good, 'a.yaml': good, '0.yaml': good }, want: ['0', 'a', 'z'] },
    { name: 'the longest name', files: { [`${'a'.repeat(32)}.yaml`]: good }, want: ['a'.repeat(32)] },
    { name: 'with a BOM', files: { 'a.yaml': `\ufeff${good}` }, want: ['a'] },
    {
      name: 'nothing of other files and folders',
      files: { 'a.yaml': good, 'README.md': 'x', 'b.yaml.bak': 'x', 'c.yaml~': 'x', folder: { 'd.yaml': 'x' } },
      want: ['a'],
    },
    { name: 'nothing hidden', files: { 'a.yaml': good, '.b.yaml': 'x', '.yaml': 'x', '..c.yaml': 'x' }, want: ['a'] },
  ]
  for (const { name, files, want } of rows) {
    t.test(name, async (t) => t.strictSame([...(await load(t.testdir(files))).keys()], want))
  }
  t.test('a ConfigMap mounted by Kubernetes', async (t) => {
    const directory = t.testdir({ '..2026_01_01': { 'a.yaml': good } })
    symlinkSync('..2026_01_01', `${directory}/..data`)
    symlinkSync('..data/a.yaml', `${directory}/a.yaml`)
    const catalogue = await load(directory)
    t.strictSame([...catalogue.keys()], ['a'])
    t.equal(catalogue.get('a')?.name, 'a')
  })
})

t.test('one bad template fails the whole set, and every error is reported', async (t) => {
  const BAD_NAME = 'its name must have 1 to 32 of a-z, 0-9 and -, because callers ask for it'
  const long = `${'a'.repeat(33)}.yaml`
  const rows: { name: string; files: Files; want: string[] }[] = [
    { name: 'an empty directory', files: {}, want: ['.: has no template (a .yaml, .yml or .json file)'] },
    { name: 'only others', files: { 'README.md': '' }, want: ['.: has no template (a .yaml, .yml or .json file)'] },
    ...['A.yaml', 'a_b.yaml', 'a b.yaml', 'a.b.yaml', '-a.yaml', 'ä.yaml', 'a@b.json', long].map((file) => ({
      name: file,
      files: { [file]: good },
      want: [`${file}: ${BAD_NAME}`],
    })),
    {
      name: 'two files with the same name',
      files: { 'a.json': good, 'a.yaml': good, 'a.yml': good },
      want: ['a.yaml: another file is already the template a', 'a.yml: another file is already the template a'],
    },
    {
      name: 'a directory called x.yaml',
      files: { 'x.yaml': { 'a.yaml': good } },
      want: ['x.yaml: is not a readable file'],
    },
    { name: 'not UTF-8', files: { 'a.yaml': Buffer.from([0x64, 0xff]) }, want: ['a.yaml: is not UTF-8'] },
    { name: 'UTF-16', files: { 'a.yaml': Buffer.from(`\ufeff${good}`, 'utf16le') }, want: ['a.yaml: is not UTF-8'] },
    {
      name: 'too large',
      files: { 'a.yaml': `${good}${' '.repeat(65_537)}` },
      want: ['a.yaml: is larger than 65536 bytes'],
    },
    {
      name: 'several faults',
      files: { 'a.yaml': 'x: 1\n', 'b.yaml': good, 'c.json': '[]', 'D.yaml': good },
      want: [
        `D.yaml: ${BAD_NAME}`,
        'a.yaml:1:1: x: is not a known key',
        'a.yaml:1:1: description: is required',
        'a.yaml:1:1: policy: is required',
        'c.json:1:1: must be a mapping, with a key: value on each line',
      ],
    },
    {
      name: 'a failing example, with its place',
      files: { 'a.yaml': templateText({ examples: [{ caller: { sub: 'a' }, can: ['GetObject users/a/1'] }] }) },
      want: [
        'a.yaml:1:236: examples.0.can.0: GetObject users/a/1: should be allowed, but is refused: the caller gets oss:PutObject on users/a/…',
      ],
    },
  ]
  for (const { name, files, want } of rows) {
    t.test(name, async (t) => t.strictSame((await told(t.testdir(files))).toSorted(), want.toSorted()))
  }
  t.test('64 KiB to the byte are fine', async (t) => {
    const directory = t.testdir({ 'a.yaml': good.padEnd(65_536) })
    t.strictSame(await told(directory), [])
  })
  t.test('no such directory, a file, a loop', async (t) => {
    const directory = t.testdir({ file: '' })
    symlinkSync('loop', `${directory}/loop`)
    for (const path of ['nowhere', 'file', 'loop']) {
      t.strictSame(await told(`${directory}/${path}`), ['.: is not a readable directory'], path)
    }
  })
  t.test('links in a circle, to nowhere, to a device', async (t) => {
    const directory = t.testdir({})
    symlinkSync('b.yaml', `${directory}/a.yaml`)
    symlinkSync('a.yaml', `${directory}/b.yaml`)
    symlinkSync('/nowhere', `${directory}/c.yaml`)
    symlinkSync('/dev/null', `${directory}/d.yaml`)
    t.strictSame(
      await told(directory),
      ['a', 'b', 'c', 'd'].map((name) => `${name}.yaml: is not a readable file`),
    )
  })
})

t.test('findings have a place: errors refuse the set, warnings come with it', async (t) => {
  const text = `description: d
allow:
  issuer: app
policy:
  Version: "3"
  Statement:
    - Effect: Allow
      Action: oss:PutObject
      Resource:
        - jrn:oss:*:\${account}:\${bucket}/a/\${jwt:sub}/*
        - jrn:oss:*:\${account}:\${bucket}/b/\${jwt:sub}*
`
  const bad = t.testdir({ 'a.yaml': text })
  const error = await loadCatalogue(bad, one).catch((error: unknown) => error)
  if (!(error instanceof CatalogueError)) throw error
  t.match(error.findings, [
    {
      file: `${bad}/a.yaml`,
      line: 11,
      column: 11,
      excerpt: '        - jrn:oss:*:${account}:${bucket}/b/${jwt:sub}*',
      rule: 'variable-before-wildcard',
      severity: 'error',
      message: /^policy\.Statement\.0\.Resource\.1: \$\{jwt:sub\} touches \*: /u,
      remedy: /users\/\$\{jwt:sub\}\/\*/u,
    },
  ])
  t.match(error.message, `${bad}/a.yaml:11:11: error variable-before-wildcard: `)

  const { catalogue, warnings } = await loadCatalogue(t.testdir({ 'a.yaml': text.replace('sub}*', 'sub}/*') }), one)
  t.equal(catalogue.size, 1)
  t.strictSame(
    warnings.map(({ rule, line, severity }) => [rule, line, severity]),
    [
      ['no-abort', 8, 'warning'],
      ['no-examples', 1, 'warning'],
    ],
  )
})

t.test('a text built to break the parser is one finding', async (t) => {
  const rows = [
    { name: 'deep nesting', text: '['.repeat(30_000), want: /^a\.yaml/u },
    { name: 'deep mappings', text: '{a: '.repeat(16_000), want: /^a\.yaml/u },
    { name: 'a deep closed list', text: `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}`, want: /^a\.yaml/u },
    {
      name: 'many anchors',
      text: Array.from({ length: 5000 }, (_, n) => `a${n}: &a${n} x`).join('\n'),
      want: /^a\.yaml/u,
    },
    { name: 'NUL', text: `${good}\0`, want: /^a\.yaml/u },
    { name: 'bad YAML with a tail of consequences', text: 'a: [1, 2\nb: }\nc: ]\n', want: /^a\.yaml/u },
  ]
  for (const { name, text, want } of rows) {
    t.test(name, async (t) => {
      const lines = await told(t.testdir({ 'a.yaml': text }))
      t.match(lines[0], want)
      t.ok(lines.length <= (name === 'many anchors' ? 20 : 1), `${lines.length} findings`)
    })
  }
})
