import { readFileSync } from 'node:fs'
import t from 'tap'
import { envExample, withTables } from '../../scripts/settings-reference.ts'
import { readConfig } from '../../src/config/config.ts'
import type { Setting } from '../../src/config/setting.ts'
import { groups, settings } from '../../src/config/settings.ts'
import { environment } from '../helpers/build.ts'

const all = Object.entries<Setting>(settings)
const page = readFileSync('docs/configuration.md', 'utf8')
const example = readFileSync('.env.example', 'utf8')

t.test('.env.example and docs/configuration.md are up to date', async (t) => {
  t.equal(example, envExample(), 'otherwise run: npm run settings')
  t.equal(page, withTables(page), 'otherwise run: npm run settings')
  t.throws(() => withTables(page.replace(/<!-- \/settings -->/u, '')), { message: /<!-- \/settings -->/u })
})

t.test('each setting belongs to one group, and both references name it once', async (t) => {
  const names = Object.values(groups).flatMap((group) => Object.keys(group))
  t.strictSame(names.toSorted(), Object.keys(settings).toSorted())
  const inExample = [...example.matchAll(/^([A-Z_]+)=/gmu)].map(([, name]) => name)
  t.strictSame(inExample, names)
  const inPage = [...page.matchAll(/^\| `([A-Z_]+)`(?: \(secret\))? \| .+ \| .+ \|$/gmu)].map(([, name]) => name)
  t.strictSame(inPage.slice(-names.length), names)
})

t.test('the unchanged .env.example sets the defaults', async (t) => {
  const assignments = example.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const asItStands = Object.fromEntries(assignments.map((line) => line.split(/=(.*)/su).slice(0, 2)))
  const required = Object.fromEntries(
    all.flatMap(([name, setting]) => (setting.required ? [[name, environment[name]]] : [])),
  )
  const given = { ...required, JWT_SECRET: environment.JWT_SECRET }
  t.strictSame(readConfig({ ...asItStands, ...given }), readConfig(given))
})

t.test('each setting has help, rule and remedy in the right form', async (t) => {
  for (const [name, { help, rule, remedy, schema, default: fallback, required, secret }] of all) {
    t.test(name, async (t) => {
      t.match(help, /^[^\n]{8,}\.$/u, 'help has whole sentences')
      t.match(rule, /^must be /u, 'a rule completes a sentence that begins with the name')
      t.match(remedy, /^[a-z][^\n]{8,}$/u)
      if (fallback !== undefined) t.ok(schema.safeParse(fallback).success, 'the default is good')
      t.notOk(secret && fallback !== undefined, 'no secret has a default')
      if (typeof required === 'object') t.ok(Object.values(required).every((other) => other in settings))
    })
  }
})
