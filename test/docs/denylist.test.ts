import { readFileSync } from 'node:fs'
import t from 'tap'
import { parseDenials } from '../../src/config/deny-file.ts'
import { LOOK_MS } from '../../src/denylist/denying.ts'
import { MAX_AGE_MS, MAX_RECORDS } from '../../src/denylist/record.ts'
import { run } from '../helpers/cli.ts'

const page = readFileSync('docs/denylist.md', 'utf8').replace('npm run --silent', 'npm run')

t.test('the file of the page is one that works', async (t) => {
  const [, yaml = ''] = /```yaml\n(.*?)```/su.exec(page) ?? []
  const read = parseDenials(yaml, ['app', 'partner'])
  t.ok('denials' in read && read.denials.length === 3)
})

t.test('the page and the commands have the same options', async (t) => {
  const named = new Set([...page.matchAll(/--[a-z][a-z-]+/gu)].map(([option]) => option))
  const help = (await Promise.all(['deny', 'allow', 'denied'].map((name) => run([name, '--help'])))).map(
    ({ out }) => out,
  )
  for (const option of named) t.match(help.join(), option)
  for (const [option] of help.join().matchAll(/--[a-z][a-z-]+/gu))
    t.ok(option === '--help' || named.has(option), option)
})

t.test('its numbers are those of the code', async (t) => {
  t.match(page, `${LOOK_MS / 1000} seconds after the command`)
  t.match(page, `The list holds ${MAX_RECORDS} names`)
  t.match(page, `older than ${MAX_AGE_MS / 86_400_000} days`)
})
