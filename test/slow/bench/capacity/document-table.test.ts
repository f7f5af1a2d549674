import { readFileSync } from 'node:fs'
import t from 'tap'
import { run } from '../../../helpers/run-capacity.ts'

// Simulations need much processor time, and shared machines are slow.
t.setTimeout(180_000)

const page = readFileSync('docs/capacity.md', 'utf8')

t.test('each figure of the table is the output of the command beside it', async (t) => {
  const rows = [...page.matchAll(/^\| .* \| ([\d,]+) \| `npm run --silent capacity -- (.*)` \|$/gmu)]
  t.ok(rows.length >= 10, 'there are such rows')
  t.equal(
    rows.length,
    page.split('`npm run --silent capacity -- --find-users').length - 1,
    'the test reads all of them',
  )
  for (const [, shown, args] of rows) {
    t.test(args ?? '', async (t) => {
      const [found] = JSON.parse(run(...(args ?? '').split(' '), '--json').out)
      t.equal(found.fits.scenario.users.toLocaleString('en-GB'), shown)
    })
  }
})
