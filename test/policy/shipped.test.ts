import t from 'tap'
import { createWorld } from '../../sandbox/world.ts'
import { loadCatalogue } from '../../src/policy/check/catalogue.ts'
import { runExamples } from '../../src/policy/check/examples.ts'
import type { Policy } from '../../src/policy/language/document.ts'
import { OSS_ACTIONS } from '../../src/policy/language/operations.ts'
import type { Template } from '../../src/policy/template/template.ts'
import { settings } from '../helpers/templates.ts'

const lintSettings = { ...settings, issuers: ['app'] }
const { catalogue, warnings } = await loadCatalogue('policies', lintSettings)
const roles = [...createWorld().roles.values()]
const rolePolicy: Policy = {
  Version: '3',
  Statement: roles.flatMap(({ policies }) => policies.flatMap((policy) => policy.Statement)),
}

const failing = (template: Template, role: Policy) =>
  runExamples(template, lintSettings, role).filter(({ held }) => !held)

t.test('the shipped templates load without a warning', async (t) => {
  t.strictSame(warnings, [], 'lint clean')
  t.strictSame([...catalogue.keys()], ['album-upload', 'shared-download', 'user-files', 'user-upload'])
})

for (const [name, template] of catalogue) {
  t.test(name, async (t) => {
    t.test("its examples hold within the sandbox role's policy", async (t) => {
      t.strictSame(failing(template, rolePolicy), [])
    })
    t.test('its examples need every action that the role has for it', async (t) => {
      for (const action of new Set(template.statements.flatMap(({ actions }) => actions))) {
        const without = rolePolicy.Statement.map((one) => ({ ...one, Action: one.Action.filter((a) => a !== action) }))
        const failures = failing(template, { Version: '3', Statement: without })
        t.ok(failures.length > 0, `${action} is shown by an example`)
      }
    })
    t.test('its examples show what callers can and cannot do', async (t) => {
      t.ok(template.examples.some(({ can }) => can.length > 0))
      t.ok(template.examples.some(({ cannot }) => cannot.length > 0))
      t.ok(
        template.allow?.claims?.some(({ claim }) => claim === 'scope'),
        'a scope is needed',
      )
    })
    t.test('it opens objects only, by named actions, and no whole bucket', async (t) => {
      for (const { actions, resources } of template.statements) {
        const levels = actions.map((action) => Object.entries(OSS_ACTIONS).find(([known]) => known === action)?.[1])
        t.ok(
          levels.every((level) => level === 'object'),
          actions.join(', '),
        )
        for (const parts of resources) {
          const [first, ...rest] = parts.map((part) => (part.kind === 'literal' ? part.text : `<${part.kind}>`))
          t.equal(first, 'jrn:oss:*:')
          t.match(rest.join(''), /^<account>:<bucket>\/[a-z]+\/[^*]*\*$/u)
        }
      }
    })
  })
}
