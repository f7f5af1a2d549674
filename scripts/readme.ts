import { readFileSync, writeFileSync } from 'node:fs'
import { stale, withMarks } from './translation.ts'

// `npm run readme`: says that README.zh-CN.md translates today's README.md. A test fails until it has run.
const page = 'README.zh-CN.md'
const english = readFileSync('README.md', 'utf8')
const chinese = readFileSync(page, 'utf8')
for (const { original, translation } of stale(english, chinese)) {
  process.stdout.write(`marked as translated: ${original.title} → ${translation.title}\n`)
}
writeFileSync(page, withMarks(english, chinese))
