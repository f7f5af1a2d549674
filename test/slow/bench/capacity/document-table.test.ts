import { readFileSync } from 'node:fs'
import t from 'tap'
import { run } from '../../../helpers/run-capacity.ts'

// Simulations take processor time, and machines that share theirs are slow.
t.setTimeout(180_000)

const page = readFileSync('docs/capacity.md', 'utf8')

t.test('the figures of the table are those of the commands beside them', async (t) => {
  const rows = [...page.matchAll(/^\| .* \| ([\d,]+) \| `npm run --silent capacity -- (.*)` \|$/gmu)]
  t.ok(rows.length >= 10, 'there are such rows')
  t.equal(rows.length, page.split('`npm run --silent capacity -- --find-users').length - 1, 'and all are understood')
  for (const [, shown, args] of rows) {
    t.test(args ?? '', async (t) => {
      const [found] = JSON.parse(run(...(args ?? '').split(' '), '--json').out)
      t.equal(found.fits.scenario.users.toLocaleString('en-GB'), shown)
    })
  }
})
