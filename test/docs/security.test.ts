import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

const text = readFileSync('SECURITY.md', 'utf8')

/** The last cell of each row of the tables of threats. */
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('| ') && line.split('|').length === 5 && !/^\| (?:---|threat|actor)/u.test(line))
  .map((line) => ({ threat: line.split('|')[1]?.trim() ?? '', tests: line.split('|')[3] ?? '' }))
  .filter(({ tests }) => tests.includes('`'))

t.test('every threat names a test that exists', async (t) => {
  t.ok(rows.length > 30, 'the page has threats')
  for (const { threat, tests } of rows) {
    const names = [...tests.matchAll(/`([^`]+)`/gu)].map(([, name = '']) => name)
    t.ok(names.length > 0, threat)
    for (const name of names) t.ok(existsSync(`test/${name}.test.ts`), `test/${name}.test.ts`)
  }
})
