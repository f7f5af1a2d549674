import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { inspectTemplates } from '../../src/policy/catalogue.ts'
import { formatFinding } from '../../src/policy/finding.ts'
import { fencedBlocks } from '../helpers/markdown.ts'
import { settings } from '../helpers/templates.ts'

const COOKBOOK = 'docs/cookbook'
const lintSettings = { ...settings, maxSessionSeconds: 3600, issuers: ['app', 'partner'], severalIssuers: true }
const { files, findings } = await inspectTemplates(COOKBOOK, lintSettings)

t.test('the cookbook loads as one set, with nothing to say against it', async (t) => {
  t.strictSame(findings.map(formatFinding), [])
  t.equal(files.length, readdirSync(COOKBOOK).length, 'and every file of it is a template')
})

for (const { name, file, outcomes } of files) {
  t.test(name, async (t) => {
    t.ok(
      outcomes.some(({ expected }) => expected === 'can'),
      'shows what it opens',
    )
    t.ok(outcomes.filter(({ expected }) => expected === 'cannot').length > 2, 'shows what it leaves shut')
    const text = readFileSync(file, 'utf8')
    const shown = fencedBlocks(readFileSync('docs/policies.md', 'utf8')).some((block) => block.text === text)
    t.ok(shown, 'stands in docs/policies.md as it is')
  })
}

t.test('editors find the schema of every template', async (t) => {
  for (const [folder, schema] of [
    [COOKBOOK, '../policy-template.schema.json'],
    ['policies', '../docs/policy-template.schema.json'],
  ] as const) {
    for (const file of readdirSync(folder)) {
      const [first] = readFileSync(`${folder}/${file}`, 'utf8').split('\n', 1)
      t.equal(first, `# yaml-language-server: $schema=${schema}`, `${folder}/${file}`)
    }
  }
})
