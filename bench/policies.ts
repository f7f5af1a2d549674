import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Command, InvalidArgumentError } from 'commander'
import { parse } from 'yaml'
import { loadCatalogue } from '../src/policy/check/catalogue.ts'
import type { LintSettings } from '../src/policy/check/lint/rule.ts'
import { fillIn } from '../src/policy/grant/grant.ts'

/**
 * `npm run bench:policies`: how the time to load, lint and test a set of templates grows with their number, and how the
 * time to find and fill in one of them grows. The rival is `yaml`'s own `parse` over the same files.
 */
const settings: LintSettings = {
  target: 'default',
  account: '111111111111',
  bucket: 'test-app',
  region: 'cn-north-1',
  minSessionSeconds: 3600,
  maxSessionSeconds: 3600,
  severalIssuers: false,
  issuers: ['app'],
}

/**
 * Copies of the shipped templates, each with folders of its own, because the linter refuses templates that share
 * folders.
 */
async function writeTemplates(directory: string, number: number): Promise<void> {
  const shipped = await Promise.all((await readdir('policies')).map((file) => readFile(join('policies', file), 'utf8')))
  for (let index = 0; index < number; index++) {
    const text = shipped[index % shipped.length] ?? ''
    await writeFile(join(directory, `t${index}.yaml`), text.replaceAll(/\b(users|public)\//gu, `$1-${index}/`))
  }
}

async function milliseconds(run: () => unknown): Promise<number> {
  const start = performance.now()
  await run()
  return performance.now() - start
}

async function measure(number: number) {
  const directory = await mkdtemp(join(tmpdir(), 'oss-vend-bench-'))
  try {
    await writeTemplates(directory, number)
    const rival = await milliseconds(async () => {
      for (const file of await readdir(directory)) parse(await readFile(join(directory, file), 'utf8'))
    })
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    let loaded = await loadCatalogue(directory, settings)
    const load = await milliseconds(async () => {
      loaded = await loadCatalogue(directory, settings)
    })
    delay.disable()
    if (loaded.catalogue.size !== number || loaded.warnings.length > 0) throw new Error('not all templates are valid')
    const caller = {
      issuer: 'app',
      subject: 'alice',
      claims: { sub: 'alice', scope: 'oss.upload oss.files oss.download' },
    }
    const vends = 50_000
    // Uses the same number of different templates in each row, so that processor cache misses do not grow.
    const asked = Math.min(...options.sizes)
    const names = Array.from({ length: vends }, (_, index) => `t${Math.floor(((index % asked) * number) / asked)}`)
    let found = 0
    const lookUp = await milliseconds(() => {
      for (const name of names) if (loaded.catalogue.get(name)) found++
    })
    if (found !== vends) throw new Error('not every template is found')
    const vend = await milliseconds(() => {
      for (const name of names) {
        const template = loaded.catalogue.get(name)
        if (template)
          fillIn(template, { caller, params: 'album' in template.params ? { album: 'trip' } : {} }, settings)
      }
    })
    return {
      number,
      load,
      rival,
      longestTurn: delay.max / 1e6,
      lookUp: (lookUp * 1e6) / vends,
      vendMicroseconds: (vend * 1000) / vends,
    }
  } finally {
    await rm(directory, { recursive: true })
  }
}

function sizes(text: string): number[] {
  const numbers = text.split(',').map(Number)
  if (numbers.every((number) => Number.isInteger(number) && number > 0)) return numbers
  throw new InvalidArgumentError('must be whole numbers, separated by commas.')
}

const options = new Command('npm run bench:policies --')
  .description('Load, lint and test sets of policy templates of growing size.')
  .option('--sizes <numbers>', 'numbers of templates', sizes, [100, 1000, 10_000])
  .parse()
  .opts<{ sizes: number[] }>()

// Not counted: it compiles the code.
await measure(Math.min(...options.sizes))
const rows = []
for (const number of options.sizes) rows.push(await measure(number))
const [first] = rows
process.stdout.write(
  'templates   load+lint+test   a template   ÷ smallest   ÷ yaml.parse   longest turn   look-up   look-up+fill-in\n',
)
for (const { number, load, rival, longestTurn, lookUp, vendMicroseconds } of rows) {
  const each = (row: { load: number; number: number }) => row.load / row.number
  const cells: [string, number][] = [
    [String(number), 9],
    [`${load.toFixed(0)} ms`, 17],
    [`${each({ load, number }).toFixed(3)} ms`, 13],
    [(each({ load, number }) / each(first ?? { load, number })).toFixed(2), 13],
    [(load / rival).toFixed(2), 15],
    [`${longestTurn.toFixed(0)} ms`, 15],
    [`${lookUp.toFixed(0)} ns`, 10],
    [`${vendMicroseconds.toFixed(1)} µs`, 18],
  ]
  process.stdout.write(`${cells.map(([text, width]) => text.padStart(width)).join('')}\n`)
}
