import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { parse } from 'yaml'
import { inspectTemplates } from '../../src/policy/check/catalogue.ts'
import { formatFinding } from '../../src/policy/template/finding.ts'
import { fencedBlocks } from '../helpers/markdown.ts'
import { settings } from '../helpers/templates.ts'

const COOKBOOK = 'docs/cookbook'
const lintSettings = { ...settings, maxSessionSeconds: 3600, issuers: ['app', 'partner'], severalIssuers: true }
const { files, findings } = await inspectTemplates(COOKBOOK, lintSettings)

t.test('the cookbook loads as one set, with nothing to say against it', async (t) => {
  t.strictSame(findings.filter(({ severity }) => severity !== 'accepted').map(formatFinding), [])
  t.strictSame(
    findings.map(({ file, rule }) => [file, rule]),
    [[`${COOKBOOK}/support-desk.yaml`, 'shared-and-personal']],
    'but for what one of them accepts',
  )
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

t.test('editors find the schema of every template, and nothing to mark', async (t) => {
  const schema = JSON.parse(readFileSync('docs/policy-template.schema.json', 'utf8'))
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema)
  for (const file of readdirSync(COOKBOOK)) {
    const text = readFileSync(`${COOKBOOK}/${file}`, 'utf8')
    t.match(text, /^# yaml-language-server: \$schema=\.\.\/policy-template\.schema\.json\n/u, file)
    t.ok(validate(parse(text)), `${file}: ${JSON.stringify(validate.errors)}`)
  }
})
