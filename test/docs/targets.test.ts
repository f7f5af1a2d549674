import { readFileSync } from 'node:fs'
import t from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { environment } from '../helpers/build.ts'
import { faultLines } from '../helpers/config-faults.ts'
import { fencedBlocks, headings } from '../helpers/markdown.ts'
import { NO_SINGLE_TARGET } from '../helpers/targets.ts'

const page = readFileSync('docs/configuration.md', 'utf8')

t.test('the documented file of two targets works, and has at most ten lines', async (t) => {
  const [block] = fencedBlocks(page).filter(({ under, language }) => under === 'several-targets' && language === 'yaml')
  const text = block?.text ?? ''
  t.ok(text.trim().split('\n').length <= 10)
  const files = [...text.matchAll(/KeyFile: ([\w-]+)/gu)].map(([, name = '']) => [name, 'FIXTURE'])
  const dir = t.testdir({ 'targets.yaml': text, ...Object.fromEntries(files) })
  const { targets } = readConfig({ ...environment, ...NO_SINGLE_TARGET, TARGETS_FILE: `${dir}/targets.yaml` })
  t.match(targets, [
    { name: 'uploads', oss: { account: '111111111111', bucket: 'test-app' } },
    { name: 'archive', oss: { account: '222222222222', endpoint: 'https://s3.cn-east-2.jdcloud-oss.com' } },
  ])
})

t.test('every field of an entry is documented', async (t) => {
  const dir = t.testdir({ 'targets.yaml': '- { unknown: x }' })
  const [fault = ''] = faultLines({ ...NO_SINGLE_TARGET, TARGETS_FILE: `${dir}/targets.yaml` })
  const fields = fault.replace(/^.* one of /u, '').split(', ')
  const section = headings(page).find(({ anchor }) => anchor === 'several-targets')?.text ?? ''
  t.ok(fields.length > 10)
  for (const field of fields.slice(1)) t.match(section, new RegExp(`^\\|.*\`${field}\`.*\\|.*\\|`, 'mu'), field)
})
