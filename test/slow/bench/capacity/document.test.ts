import { readFileSync } from 'node:fs'
import t from 'tap'
import { run } from '../../../helpers/run-capacity.ts'

// Simulations need much processor time, and shared machines are slow.
t.setTimeout(180_000)

const page = readFileSync('docs/capacity.md', 'utf8')
const COMMAND = 'npm run --silent capacity -- '
const words = (args = '') => args.split(' ')

t.test('the page shows what the command prints', async (t) => {
  const blocks = [...page.matchAll(/^```console\n\$ (.*)\n([^`]*)```$/gmu)]
  t.ok(blocks.length >= 8, 'there are such blocks')
  t.equal(blocks.length, page.split('```console').length - 1, 'the test reads all of them')
  for (const [, command = '', shown] of blocks) {
    t.test(command, async (t) => {
      t.ok(command.startsWith(COMMAND))
      t.equal(run(...words(command.slice(COMMAND.length))).out, shown)
    })
  }
})

t.test('the command has every option that the page names', async (t) => {
  const { out } = run('--help')
  const named = new Set([...page.matchAll(/`(--[a-z-]+)`/gu)].map(([, option]) => option ?? ''))
  t.ok(named.size > 8)
  for (const option of named) t.match(out, `${option} `)
})
