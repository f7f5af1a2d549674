import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { createChain } from '../../../src/observe/audit/chain.ts'
import { run } from '../../helpers/cli.ts'

const key = randomBytes(32)
const base64 = key.toString('base64')
const SOURCE = 'urn:uuid:00000000-0000-4000-8000-00000000000'
const about = { version: '1.0.0', chained: true, subject: 'plain' }

/** The lines of a run of so many events, its start included. */
function runOf(
  number: number,
  events: number,
  { previous, sealed = key }: { previous?: string; sealed?: Buffer } = {},
) {
  const chain = createChain(sealed, previous)
  return Array.from({ length: events }, (_, i) =>
    chain.seal({
      specversion: '1.0',
      id: String(i).padStart(12, '0'),
      source: `${SOURCE}${number}`,
      type: i === 0 ? 'oss-vend.audit.started' : i === events - 1 ? 'oss-vend.audit.stopped' : 'oss-vend.audit.started',
      time: `2026-01-0${number + 1}T00:00:${String(i).padStart(2, '0')}.000Z`,
      datacontenttype: 'application/json',
      data: about,
    }),
  )
}
const macOf = (line = '') => String(JSON.parse(line).mac)

const first = runOf(0, 5)
const second = runOf(1, 5, { previous: macOf(first.at(-1)) })

async function verify(
  files: Record<string, readonly string[] | string>,
  { env = { AUDIT_CHAIN_KEY: base64 }, more = [] }: { env?: Record<string, string>; more?: readonly string[] } = {},
) {
  const texts = Object.entries(files).map(([name, lines]) => [
    name,
    typeof lines === 'string' ? lines : `${lines.join('\n')}\n`,
  ])
  const dir = t.testdir(Object.fromEntries(texts))
  const names = Object.keys(files).map((name) => `${dir}/${name}`)
  const { exitCode, out, err } = await run(['audit', 'verify', '--json', ...more, ...names], { env })
  const { faults = [], notes = [], runs = [], lines = 0 } = out === '' ? {} : JSON.parse(out)
  return {
    exitCode,
    err,
    lines,
    runs,
    notes,
    faults: faults.map(({ kind, at }: { kind: string; at: string }) => `${kind} ${at.replace(/^.*\//u, '')}`),
  }
}

t.test('good files', async (t) => {
  t.match(await verify({ a: first }), { exitCode: 0, lines: 5, faults: [], notes: [], runs: [{ end: 'stopped' }] })
  t.match(await verify({ a: [...first, ...second] }), { exitCode: 0, faults: [], notes: [] })
  t.match(await verify({ a: first.slice(0, 3), b: [...first.slice(3), ...second] }), { exitCode: 0, notes: [] })
  t.match(
    await verify({ z: first.slice(0, 3), b: [...first.slice(3), ...second] }),
    { exitCode: 0, notes: [] },
    'by time',
  )
  t.match(await verify({ a: first, b: runOf(2, 4) }), { exitCode: 0, notes: [], runs: [{}, {}] }, 'of two replicas')
  const live = await verify({ a: first.slice(0, 4) })
  t.match(live, { exitCode: 0, runs: [{ end: 'open' }], notes: [/nothing says that 000000000003 was its last event/u] })
})

t.test('faults', async (t) => {
  const other = runOf(3, 5, { sealed: randomBytes(32) })
  const rows = [
    { name: 'a changed line', lines: first.with(2, (first[2] ?? '').replace('1.0.0', '1.0.1')), want: ['changed a:3'] },
    { name: 'a line of another key', lines: first.with(2, other[2] ?? ''), want: ['changed a:3'] },
    { name: 'a line that is no event', lines: first.toSpliced(2, 0, 'hello'), want: ['changed a:3'] },
    { name: 'a removed line', lines: first.toSpliced(2, 1), want: ['removed a:3'] },
    {
      name: 'a changed line and a removed one',
      lines: first.toSpliced(1, 2, '{}'),
      want: ['changed a:2', 'removed a:3'],
    },
    {
      name: 'two lines swapped',
      lines: [0, 2, 1, 3, 4].map((i) => first[i] ?? ''),
      want: ['removed a:2', 'moved a:3'],
    },
    { name: 'a line twice', lines: first.toSpliced(2, 0, first[1] ?? ''), want: ['moved a:3'] },
    { name: 'the start of a run removed', lines: [...first, ...second.slice(1)], want: ['removed a:6'] },
    { name: 'the end of a run removed', lines: [...first.slice(0, 4), ...second], want: ['removed a:5'] },
    { name: 'a line of another run in between', lines: [...first, ...second, first[2] ?? ''], want: ['moved a:11'] },
    {
      name: 'a line without a mac',
      lines: first.toSpliced(
        2,
        0,
        JSON.stringify({ ...JSON.parse(first[2] ?? ''), previous: undefined, mac: undefined }),
      ),
      want: ['unchained a:3'],
    },
  ]
  for (const { name, lines, want } of rows) {
    t.test(name, async (t) => {
      const { exitCode, faults } = await verify({ a: lines })
      t.strictSame({ exitCode, faults }, { exitCode: 1, faults: want })
    })
  }
})

t.test('a file that ends in the middle of a line', async (t) => {
  const text = `${first.slice(0, 2).join('\n')}\n`
  const [, , third = ''] = first
  const rest = `${first.slice(3).join('\n')}\n`
  t.match(await verify({ a: `${text}${third.slice(0, 50)}` }), { exitCode: 0, notes: [/a:3 has no end yet/u, /./u] })
  const split = { a: `${text}${third.slice(0, 50)}`, b: `${third.slice(50)}\n${rest}` }
  t.match(await verify(split), { exitCode: 0, faults: [], notes: [], lines: 5 }, 'the next file has the rest')
  const lost = { a: `${text}${third.slice(0, 50)}`, b: rest }
  t.match(await verify(lost), { exitCode: 1, faults: ['removed b:1'] })
})

t.test('heads, keys and input', async (t) => {
  const more = ['--head', macOf(first[2])]
  t.equal((await verify({ a: first }, { more })).exitCode, 0)
  t.match(await verify({ a: first.slice(0, 2) }, { more }), { exitCode: 1, faults: [`head ${macOf(first[2])}`] })
  const both = { AUDIT_CHAIN_KEY: `${randomBytes(32).toString('base64')},${base64}` }
  t.equal((await verify({ a: first }, { env: both })).exitCode, 0, 'an old key still verifies')
  t.match(await verify({ a: first }, { env: { AUDIT_CHAIN_KEY_FILE: '/nowhere/key' } }), { exitCode: 2 })
  t.match(await verify({ a: first }, { env: {} }), { exitCode: 2 })
  t.match(await verify({ a: first }, { env: { AUDIT_CHAIN_KEY: 'short' } }), { exitCode: 2 })
  const files = t.testdir({ key: base64, 'a.gz': gzipSync(`${first.join('\n')}\n`), 'b.gz': 'no gzip' })
  const env = { AUDIT_CHAIN_KEY_FILE: `${files}/key` }
  t.match(await run(['audit', 'verify', `${files}/a.gz`], { env }), { exitCode: 0, out: /✓ no line was changed/u })
  t.match(await run(['audit', 'verify', `${files}/b.gz`], { env }), { exitCode: 2, err: /b.gz cannot be read/u })
  t.match(await run(['audit', 'verify', `${files}/none`], { env }), {
    exitCode: 2,
    err: /none cannot be read: ENOENT/u,
  })
  t.match(await run(['audit', 'verify'], { env }), { exitCode: 2 })
  const input = `${first.join('\n')}\n`
  t.match(await run(['audit', 'verify', '-'], { env, input }), { exitCode: 0, out: /5 lines of 1 run\n/u })
})

t.test('people see what is wrong, and if it is the key', async (t) => {
  const dir = t.testdir({ a: `${first.toSpliced(2, 1).join('\n')}\n` })
  const verifyBy = (AUDIT_CHAIN_KEY: string) => run(['audit', 'verify', `${dir}/a`], { env: { AUDIT_CHAIN_KEY } })
  t.match((await verifyBy(base64)).out, /✗ .*a:3 removed: 1 event before 000000000003 is missing/u)
  const wrong = await verifyBy(randomBytes(32).toString('base64'))
  t.equal(wrong.exitCode, 1)
  t.match(wrong.out, /No line fits AUDIT_CHAIN_KEY: is it the key of these files\?/u)
})
