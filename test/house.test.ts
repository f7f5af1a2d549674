import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'

type Import = Readonly<{ from: string; to: string }>

const sourcesIn = (root: string) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(root, file))
const sources = ['src', 'routes'].flatMap(sourcesIn)

/** The text without whole lines of comment; what stands behind code is code to us. */
const codeOf = (file: string) => readFileSync(file, 'utf8').replace(/^\s*(?:\/\/|\/?\*).*$/gmu, '')

/** Every module that a file names, `import type` and `import()` included; relative ones as paths from the root. */
function importsOf(file: string, code = codeOf(file)): Import[] {
  const named = code.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"`])([^'"`]+)\1/gu)
  return [...named].map(([, , to = '']) => ({
    from: file,
    to: to.startsWith('.') ? normalize(join(dirname(file), to)) : to,
  }))
}

const imports = sources.flatMap((file) => importsOf(file))
const under = (folders: readonly string[]) => (path: string) => folders.some((folder) => path.startsWith(`${folder}/`))

const RULES = [
  { name: 'routes know vending, never sts', from: ['routes'], never: ['src/sts'] },
  { name: 'identity stands alone', from: ['src/identity'], never: ['src/policy', 'src/sts', 'src/vending', 'routes'] },
  { name: 'policy stands alone', from: ['src/policy'], never: ['src/identity', 'src/sts', 'src/vending', 'routes'] },
  { name: 'sts stands alone', from: ['src/sts'], never: ['src/identity', 'src/policy', 'src/vending', 'routes'] },
  { name: 'vending is asked by routes and knows none', from: ['src/vending'], never: ['routes'] },
  { name: 'nothing that ships needs the sandbox or a test', from: ['src', 'routes'], never: ['sandbox', 'test'] },
] as const

t.test('imports are found, whatever they look like', async (t) => {
  const rows = [
    { code: "import { a } from '../src/sts/a.ts'", want: 'src/sts/a.ts' },
    { code: "import type { A } from '../src/sts/a.ts'", want: 'src/sts/a.ts' },
    { code: "import {\n  a,\n  type B,\n} from '../src/sts/a.ts'", want: 'src/sts/a.ts' },
    { code: "import * as a from '../src/sts/a.ts'", want: 'src/sts/a.ts' },
    { code: "import '../src/sts/a.ts'", want: 'src/sts/a.ts' },
    { code: "export { a } from '../src/sts/a.ts'", want: 'src/sts/a.ts' },
    { code: "export * from '../src/sts/a.ts'", want: 'src/sts/a.ts' },
    { code: "const a = await import('../src/sts/a.ts')", want: 'src/sts/a.ts' },
    { code: "type A = import('../src/sts/a.ts').A", want: 'src/sts/a.ts' },
    { code: "const a = require('../src/sts/a.ts')", want: 'src/sts/a.ts' },
    { code: "import { a } from '../src/vending/../sts/a.ts'", want: 'src/sts/a.ts' },
    { code: "import process from 'node:process'", want: 'node:process' },
  ]
  for (const { code, want } of rows) {
    t.test(code.replaceAll('\n', ' '), async (t) =>
      t.strictSame(importsOf('routes/x.ts', code), [{ from: 'routes/x.ts', to: want }]),
    )
  }
})

for (const { name, from, never } of RULES) {
  t.test(name, async (t) => {
    const ours = imports.filter((one) => under(from)(one.from))
    t.ok(ours.length > 0, 'there is something to look at')
    t.strictSame(
      ours.filter(({ to }) => under(never)(to)),
      [],
    )
  })
}

// With shared code, a fault would let the same thing through on both sides, and no end-to-end test could show it.
t.test('the sandbox judges the service with code of its own', async (t) => {
  const isStarter = (path: string) => path === 'sandbox/local.ts' || path.startsWith('sandbox/commands/')
  const isService = under(['src', 'routes'])
  const ours = sourcesIn('sandbox').flatMap((file) => importsOf(file))
  const [starting, judging] = [ours.filter(({ from }) => isStarter(from)), ours.filter(({ from }) => !isStarter(from))]
  t.ok(judging.length > 0, 'there is something to look at')
  t.strictSame(
    judging.filter(({ to }) => isService(to) || isStarter(to)),
    [],
  )
  t.strictSame(
    ours.filter(({ to }) => under(['src/policy', 'src/sts'])(to)),
    [],
    'what starts the service does not judge it either',
  )
  t.ok(
    starting.some(({ to }) => to === 'src/app.ts'),
    'and does start it',
  )
})

t.test('what the rules forbid is what the composition root does', async (t) => {
  const app = imports.filter(({ from }) => from === 'src/app.ts')
  for (const folder of ['routes', 'src/identity', 'src/policy', 'src/sts', 'src/vending']) {
    t.ok(
      app.some(({ to }) => under([folder])(to)),
      `src/app.ts imports ${folder}`,
    )
  }
})

t.test('the environment is read in one place', async (t) => {
  const readers = (pattern: RegExp) => sources.filter((file) => pattern.test(codeOf(file)))
  t.strictSame(readers(/\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[/u), ['src/main.ts'], 'and there it still is')
  t.strictSame(readers(/\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/u), [], 'nor is it taken apart')
  t.strictSame(
    imports.filter(({ to }) => /^(?:node:)?process$/u.test(to)),
    [],
    'nor imported',
  )
})

t.test('modules keep no state', async (t) => {
  const variables = (code: string) => code.match(/^(?:export\s+)?(?:let|var)\s.*$/gmu) ?? []
  t.strictSame(variables('let a = 1\nexport let b = 2\nvar c\nfunction f() {\n  let d\n}\n'), [
    'let a = 1',
    'export let b = 2',
    'var c',
  ])
  t.strictSame(
    sources.flatMap((file) => variables(codeOf(file)).map((line) => `${file}: ${line}`)),
    [],
  )
})
