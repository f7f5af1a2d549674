import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

const page = readFileSync('ARCHITECTURE.md', 'utf8')

t.test('ARCHITECTURE.md names files that exist', async (t) => {
  const named = [...page.matchAll(/`((?:src|routes|test)\/[^`]+\.ts)`/gu)].map(([, file = '']) => file)
  t.ok(named.length > 40, 'the page names files')
  for (const file of new Set(named)) t.ok(existsSync(file), file)
})

t.test('the main files of a vend are at most 15', async (t) => {
  const [, list = ''] = /These are the main files of a vend, in order[^|]*((?:\|.*\n)+)/u.exec(page) ?? []
  const files = list.match(/^\| `/gmu) ?? []
  t.ok(files.length > 8 && files.length <= 15, `${files.length} files`)
})
