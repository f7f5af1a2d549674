import { symlinkSync } from 'node:fs'
import t, { type Test } from 'tap'
import { CatalogueError, type CatalogueSettings, loadCatalogue } from '../../src/policy/catalogue.ts'
import { settings, statement, templateText } from '../helpers/templates.ts'

type Files = Parameters<Test['testdir']>[0]

const one: CatalogueSettings = { ...settings, issuers: ['app'] }
const good = templateText()

/** What is told of a directory, without the directory. */
function told(directory: string, catalogueSettings = one): string[] {
  try {
    loadCatalogue(directory, catalogueSettings)
    return []
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error
    const [heading, ...lines] = error.message.split('\n')
    if (heading !== 'The policy templates cannot be used:') throw error
    return lines.map((line) => line.replace(`  ${directory}/`, '').replace(`  ${directory}`, '.'))
  }
}

t.test('every template of a directory, by name', async (t) => {
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
    t.test(name, async (t) => t.strictSame([...loadCatalogue(t.testdir(files), one).keys()], want))
  }
  t.test('mounted as Kubernetes mounts a ConfigMap', async (t) => {
    const directory = t.testdir({ '..2026_01_01': { 'a.yaml': good } })
    symlinkSync('..2026_01_01', `${directory}/..data`)
    symlinkSync('..data/a.yaml', `${directory}/a.yaml`)
    const catalogue = loadCatalogue(directory, one)
    t.strictSame([...catalogue.keys()], ['a'])
    t.equal(catalogue.get('a')?.name, 'a')
  })
})

t.test('one bad template fails them all, and all that is wrong is told', async (t) => {
  const BAD_NAME = 'its name must be 1 to 32 of a-z, 0-9 and -, because callers ask for it'
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
      name: 'two files of one name',
      files: { 'a.json': good, 'a.yaml': good, 'a.yml': good },
      want: ['a.yaml: there is already a template called a', 'a.yml: there is already a template called a'],
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
        'a.yaml:1:1: description: Invalid input: expected string, received undefined',
        'a.yaml:1:1: policy: Invalid input: expected object, received undefined',
        'c.json:1:1: Invalid input: expected object, received array',
      ],
    },
    {
      name: 'a failing example, with its place',
      files: { 'a.yaml': templateText({ examples: [{ caller: { sub: 'a' }, can: ['GetObject users/a/1'] }] }) },
      want: ['a.yaml:1:236: examples.0.can.0: GetObject users/a/1: should be allowed and is not'],
    },
  ]
  for (const { name, files, want } of rows) {
    t.test(name, async (t) => t.strictSame(told(t.testdir(files)).toSorted(), want.toSorted()))
  }
  t.test('64 KiB to the byte are fine', async (t) => {
    const directory = t.testdir({ 'a.yaml': good.padEnd(65_536) })
    t.strictSame(told(directory), [])
  })
  t.test('no such directory, a file, a loop', async (t) => {
    const directory = t.testdir({ file: '' })
    symlinkSync('loop', `${directory}/loop`)
    for (const path of ['nowhere', 'file', 'loop']) {
      t.strictSame(told(`${directory}/${path}`), ['.: is not a readable directory'], path)
    }
  })
  t.test('links in a circle, to nowhere, to a device', async (t) => {
    const directory = t.testdir({})
    symlinkSync('b.yaml', `${directory}/a.yaml`)
    symlinkSync('a.yaml', `${directory}/b.yaml`)
    symlinkSync('/nowhere', `${directory}/c.yaml`)
    symlinkSync('/dev/null', `${directory}/d.yaml`)
    t.strictSame(
      told(directory),
      ['a', 'b', 'c', 'd'].map((name) => `${name}.yaml: is not a readable file`),
    )
  })
})

t.test('with several issuers, who is named by subject is named by issuer too', async (t) => {
  const two: CatalogueSettings = { ...settings, severalIssuers: true, issuers: ['app', 'web'] }
  const ambiguous = [
    '"Resource"',
    'policy.Statement.0.Resource: several issuers may use this template, and a claim means something else at each: put ${issuer}/ before it, or name one issuer under allow',
  ] as const
  const unknown = (name: string, known: string) =>
    ['"issuer"', `allow.issuer: no issuer called ${name} is configured (${known})`] as const
  const any = { claims: { scope: 'x' } }
  const both = { issuer: ['app', 'web'] }
  const rows: {
    name: string
    allow: unknown
    path: string
    of?: CatalogueSettings
    want?: readonly [string, string]
  }[] = [
    { name: 'one issuer', allow: any, path: '${jwt:sub}/*', of: one },
    { name: 'any issuer', allow: any, path: '${jwt:sub}/*', want: ambiguous },
    { name: 'both, by name', allow: both, path: '${jwt:sub}/*', want: ambiguous },
    { name: 'one, by name', allow: { issuer: 'web' }, path: '${jwt:sub}/*' },
    { name: 'with the issuer', allow: any, path: '${issuer}/${jwt:sub}/*' },
    { name: 'with the issuer run into the subject', allow: any, path: '${issuer}${jwt:sub}/*', want: ambiguous },
    { name: 'without people', allow: any, path: 'public/*' },
    { name: 'a team, which each issuer names as it likes', allow: any, path: '${jwt:team}/*', want: ambiguous },
    { name: 'an unknown issuer', allow: { issuer: 'mobile' }, path: 'x/*', want: unknown('mobile', 'app, web') },
    {
      name: 'an unknown issuer beside one',
      allow: { issuer: 'web' },
      path: 'x/*',
      of: one,
      want: unknown('web', 'app'),
    },
  ]
  for (const { name, allow, path, of = two, want } of rows) {
    t.test(name, async (t) => {
      const text = templateText({ allow, policy: { Version: '3', Statement: [statement(path)] } })
      const [place = '', message] = want ?? []
      const lines = want ? [`a.yaml:1:${text.indexOf(place) + 1}: ${message}`] : []
      t.strictSame(told(t.testdir({ 'a.yaml': text }), of), lines)
    })
  }
  t.test('one of two resources is enough', async (t) => {
    const mixed = { ...statement('${issuer}/${jwt:sub}/*') }
    mixed.Resource.push('jrn:oss:*:${account}:${bucket}/u/${jwt:sub}/*')
    const text = templateText({ allow: any, policy: { Version: '3', Statement: [mixed] } })
    t.equal(told(t.testdir({ 'a.yaml': text }), two).length, 1)
  })
})
