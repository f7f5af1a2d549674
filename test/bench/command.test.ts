import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { bench } from '../../bench/command.ts'
import { atLeast, atMost, type Benchmark, exactly, type Finding, type Scale } from '../../bench/lib/finding.ts'

const finding = (ratio: number, floor?: Finding['floor']): Finding => ({
  what: 'vends',
  ours: `${ratio * 100}/s`,
  rival: { name: 'another', value: '100/s' },
  ratio,
  better: 'more',
  ...(floor && { floor }),
})

const benchmark = (name: string, run: (scale: Scale) => Promise<readonly Finding[]>): Benchmark => ({
  name,
  summary: `what ${name} measures`,
  run,
})

async function run(args: readonly string[], ...benchmarks: readonly Benchmark[]) {
  let out = ''
  let err = ''
  const code = await bench(args, benchmarks, {
    prepare: async () => {},
    write: (text) => {
      out += text
    },
    warn: (text) => {
      err += text
    },
  })
  return { code, out, err }
}

const some = ['--only', 'a']

t.test('a floor is compared with the measured ratio', async (t) => {
  const rows = [
    { floor: atLeast(0.9, 0.9), met: true },
    { floor: atLeast(0.899, 0.9), met: false },
    { floor: atMost(2, 2), met: true },
    { floor: atMost(2.01, 2), met: false },
    { floor: exactly(1, 1), met: true },
    { floor: exactly(2, 1), met: false },
    { floor: exactly(0, 1), met: false },
    { floor: atLeast(Number.NaN, 0.9), met: false },
    { floor: atMost(Number.NaN, 2), met: false },
  ]
  for (const { floor, met } of rows) {
    t.test(`${floor.text} ${met ? 'met' : 'not met'}`, async (t) => {
      t.equal(floor.met, met)
      const { code, out } = await run(
        some,
        benchmark('a', async () => [finding(1), finding(2, floor)]),
      )
      t.equal(code, met ? 0 : 1)
      t.match(out, met ? /\bmet$/mu : /NOT MET$/mu)
    })
  }
})

t.test('a small run checks only floors that do not depend on the machine', async (t) => {
  const scales: Scale[] = []
  const measure = (floor: Finding['floor']) => {
    const a = benchmark('a', async (scale) => {
      scales.push(scale)
      return [finding(0.1, floor)]
    })
    return run(['--small'], a)
  }
  t.equal((await measure(atLeast(0.1, 0.9))).code, 0)
  t.notMatch((await measure(atLeast(0.1, 0.9))).out, 'MET')
  t.equal((await measure(exactly(2, 1))).code, 1)
  t.strictSame([...new Set(scales)], ['small'])
})

t.test('a failed benchmark is reported and does not stop the others', async (t) => {
  const broken = benchmark('a', async () => {
    throw new Error('no redis-server')
  })
  const { code, out, err } = await run(
    ['--only', 'a,b'],
    broken,
    benchmark('b', async () => [finding(3)]),
  )
  t.equal(code, 1)
  t.match(err, 'a failed: Error: no redis-server')
  t.match(out, '300/s')
})

t.test('the table has a line for each finding, in columns', async (t) => {
  const { out } = await run(
    some,
    benchmark('a', async () => [finding(12.3, atLeast(12.3, 10)), finding(0.00123)]),
  )
  const [head = '', ...lines] = out.trimEnd().split('\n')
  t.equal(lines.length, 2)
  for (const line of lines) t.equal(line.indexOf('another'), lines[0]?.indexOf('another'))
  t.match(head, /^what +ours +rival +ratio +floor$/u)
  t.match(lines[0], /^vends +1230\/s +100\/s +another +12\.30 +≥ 10\.00 +met$/u)
  t.match(lines[1], /^vends +0\.123\/s +100\/s +another +0\.0012$/u)
})

t.test('JSON and Markdown', async (t) => {
  const a = benchmark('a', async () => [finding(2, atLeast(2, 1))])
  t.strictSame(JSON.parse((await run([...some, '--json'], a)).out), [finding(2, atLeast(2, 1))])
  t.match((await run([...some, '--markdown'], a)).out, '| vends | 200/s | 100/s: another | 2.00 | ≥ 1.00 |')
})

t.test('the chart draws a better ratio to the right, also when less is better', async (t) => {
  const file = join(t.testdir({}), 'chart.svg')
  const less: Finding = { ...finding(0.1, atMost(0.1, 0.1)), what: 'p99 <of it>', better: 'less' }
  await run(
    [...some, '--chart', file],
    benchmark('a', async () => [finding(10), less, finding(0.1)]),
  )
  const svg = await readFile(file, 'utf8')
  t.match(svg, 'prefers-color-scheme: dark')
  t.match(svg, 'p99 &lt;of it&gt;')
  const bars = [...svg.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"[^>]*class="bar"/gu)]
  const [more, fewer, worse] = bars.map(([, x, width]) => ({ x: Number(x), width: Number(width) }))
  t.strictSame(more, fewer)
  t.ok((worse?.x ?? Number.NaN) < (more?.x ?? Number.NaN))
  t.equal(svg.match(/class="floor"/gu)?.length, 1)
})

t.test('wrong usage', async (t) => {
  const a = benchmark('a', async () => [finding(1)])
  for (const args of [['--only', 'b'], ['--nope'], ['more'], ['--only']]) {
    t.equal((await run(args, a)).code, 2, args.join(' '))
  }
  const { code, out } = await run(['--help'], a)
  t.equal(code, 0)
  t.match(out, 'what a measures')
})
