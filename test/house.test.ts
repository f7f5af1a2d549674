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

type Rule = Readonly<{
  name: string
  from: readonly string[]
  never: readonly string[]
  except?: (file: string) => boolean
}>

/** What each folder may never know, types included. `src/app.ts` puts all of them together. */
const RULES: readonly Rule[] = [
  {
    name: 'src knows no routes, the composition root aside',
    from: ['src'],
    never: ['routes'],
    except: (file) => file === 'src/app.ts',
  },
  { name: 'routes know vending, never where sessions come from', from: ['routes'], never: ['src/sts', 'src/sessions'] },
  {
    name: 'identity, policy and sts meet in vending alone',
    from: ['src/identity'],
    never: ['src/policy', 'src/sts', 'src/vending', 'src/sessions', 'src/http'],
  },
  {
    name: 'policy stands alone',
    from: ['src/policy'],
    never: ['src/identity', 'src/sts', 'src/vending', 'src/sessions', 'src/http'],
  },
  {
    name: 'sts stands alone',
    from: ['src/sts'],
    never: ['src/identity', 'src/policy', 'src/vending', 'src/sessions', 'src/http'],
  },
  {
    name: 'oss stands alone',
    from: ['src/oss'],
    never: ['src/identity', 'src/policy', 'src/sts', 'src/vending', 'src/sessions', 'src/http'],
  },
  {
    name: 'lib knows nothing of what the service is for',
    from: ['src/lib'],
    never: ['src/policy', 'src/identity', 'src/vending', 'src/sessions', 'src/sts', 'src/http', 'src/config'],
  },
  {
    name: 'what is observed does not know who observes it',
    from: ['src', 'routes'],
    never: ['src/observe'],
    // The commands of the audit read what was written.
    except: (file) =>
      under(['src/observe', 'src/cli/audit'])(file) || ['src/app.ts', 'src/main.ts', 'src/targets.ts'].includes(file),
  },
  { name: 'nothing that ships needs the sandbox or a test', from: ['src', 'routes'], never: ['sandbox', 'test'] },
]

/** A folder of the house; `policy` has several, and a file directly in `src` is one by itself. */
function folderOf(path: string): string {
  const [root = '', folder = '', below = ''] = path.split('/')
  if (root !== 'src') return root
  return folder === 'policy' ? `src/policy/${below}` : `src/${folder}`
}

/** Groups of nodes that can reach each other. */
function circlesIn(edges: readonly (readonly [from: string, to: string])[]): string[] {
  const reach = (start: string) => {
    const seen = new Set<string>()
    const next = [start]
    for (const node of next) {
      for (const [from, to] of edges) {
        if (from !== node || seen.has(to)) continue
        seen.add(to)
        next.push(to)
      }
    }
    return seen
  }
  return [...new Set(edges.map(([from]) => from))].filter((node) => reach(node).has(node)).sort()
}

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

for (const { name, from, never, except = () => false } of RULES) {
  t.test(name, async (t) => {
    const ours = imports.filter((one) => under(from)(one.from) && !except(one.from))
    t.ok(ours.length > 0, 'there is something to look at')
    t.strictSame(
      ours.filter(({ to }) => under(never)(to)),
      [],
    )
  })
}

t.test('no folders import each other in a circle', async (t) => {
  const edgesOf = (found: readonly Import[]) =>
    found.map(({ from, to }) => [folderOf(from), folderOf(to)] as const).filter(([from, to]) => from !== to)
  t.strictSame(
    circlesIn([
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
      ['c', 'd'],
    ]),
    ['a', 'b', 'c'],
    'circles are found',
  )
  t.strictSame(circlesIn(edgesOf(imports.filter(({ to }) => /^(?:src|routes)\//u.test(to)))), [])
})

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
  for (const folder of ['routes', 'src/identity', 'src/policy', 'src/vending']) {
    t.ok(
      app.some(({ to }) => under([folder])(to)),
      `src/app.ts imports ${folder}`,
    )
  }
  const targets = imports.filter(({ from }) => from === 'src/targets.ts')
  t.ok(targets.some(({ to }) => under(['src/sts'])(to)) && targets.some(({ to }) => under(['src/policy'])(to)))
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

// A part reports to a plain interface of its own, so that it can be tested, and read, without knowing who listens.
t.test('src/observe alone knows prom-client and OpenTelemetry', async (t) => {
  const users = imports.filter(({ to }) => /^(?:prom-client|@opentelemetry\/.+)$/u.test(to))
  t.ok(
    users.some(({ to }) => to === 'prom-client'),
    'and there they are',
  )
  t.strictSame(
    users.filter(({ from }) => !under(['src/observe'])(from)),
    [],
  )
})

t.test('OpenTelemetry is loaded only where it is configured', async (t) => {
  const loaders = sources.filter((file) => importsOf(file).some(({ to }) => to === 'src/observe/open-telemetry.ts'))
  t.strictSame(loaders, ['src/observe/tracing.ts'])
  const code = codeOf('src/observe/tracing.ts')
  t.equal(code.match(/open-telemetry/gu)?.length, 1)
  t.match(code, "await import('./open-telemetry.ts')")
  const parts = ['open-telemetry', 'otlp-exporter', 'sampler'].map((name) => `src/observe/${name}.ts`)
  const users = imports.filter(({ to }) => /^@opentelemetry/u.test(to) || parts.slice(1).includes(to))
  t.ok(users.length > 0)
  t.strictSame(
    users.filter(({ from }) => !parts.includes(from)),
    [],
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
