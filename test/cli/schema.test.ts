import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { parse } from 'yaml'
import { run } from '../helpers/cli.ts'
import { statement, templateText } from '../helpers/templates.ts'

const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
  JSON.parse((await run(['policies', 'schema'])).out),
)
const takes = (parts: Record<string, unknown>) => validate(JSON.parse(templateText(parts)))

t.test('the shipped schema equals the printed one', async (t) => {
  const { exitCode, out } = await run(['policies', 'schema'])
  t.equal(exitCode, 0)
  t.equal(
    readFileSync('docs/policy-template.schema.json', 'utf8'),
    out,
    'npm run --silent oss-vend -- policies schema > docs/policy-template.schema.json',
  )
})

t.test('the shipped templates fit the schema, and refer to it', async (t) => {
  for (const file of readdirSync('policies')) {
    const text = readFileSync(`policies/${file}`, 'utf8')
    t.ok(validate(parse(text)), file)
    t.match(text, /^# yaml-language-server: \$schema=\.\.\/docs\/policy-template\.schema\.json\n/u, file)
  }
})

t.test('the schema marks what the loader and the linter refuse', async (t) => {
  t.ok(takes({}))
  t.ok(
    takes({
      $schema: 'x',
      sharedBy: 'team',
      allow: { claims: { 'https://a.test/x': { atLeast: 'now' }, b: [1, true] } },
    }),
  )
  const element = (more: Record<string, unknown>) => ({
    policy: { Version: '3', Statement: [{ ...statement('a/*'), ...more }] },
  })
  const rows: Record<string, unknown>[] = [
    { description: undefined },
    { alow: {} },
    { allow: { claims: { a: { atleast: 3 } } } },
    { durationSeconds: 899 },
    { durationSeconds: 43_201 },
    { policy: { Version: '2', Statement: [statement('a/*')] } },
    element({ Effect: 'Deny' }),
    element({ Principal: '*' }),
    element({ NotAction: '*' }),
    element({ Condition: {} }),
    element({ Action: undefined }),
    element({ Action: 'oss:PutObjct' }),
    { params: { a: { kind: 'file' } } },
    { examples: [{ caller: { sub: 'a' }, can: ['Put a'] }] },
    { examples: [{ caller: {}, can: ['ListBuckets'] }] },
  ]
  for (const parts of rows) t.notOk(takes(parts), JSON.stringify(parts))
})
