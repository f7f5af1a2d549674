import { readFileSync } from 'node:fs'
import t from 'tap'
import { VARIABLES } from '../../src/config/single-issuer.ts'
import { REFUSALS, type Refusal } from '../../src/identity/refusals.ts'

const DOCS = readFileSync('docs/configuration.md', 'utf8')

const variables: Readonly<Record<string, string>> = VARIABLES

/** The row of a reason as the documentation has it: variables first, then fields. */
function row([reason, { means, remedy, fields, variable }]: [string, Refusal]): string {
  const names = [variable, ...fields.map((field) => variables[field]), ...fields].filter((name) => name !== undefined)
  const settings = names.length > 0 ? names.map((name) => `\`${name}\``).join(', ') : '–'
  return `| \`${reason}\` | ${means} | ${remedy} | ${settings} |`
}

t.test('the documentation has the table of reasons, word for word', async (t) => {
  const table = [
    '| `reason` | meaning | remedy | setting |',
    '| --- | --- | --- | --- |',
    ...Object.entries(REFUSALS).map(row),
  ]
  t.ok(DOCS.includes(`\n\n${table.join('\n')}\n\n`), `write this table:\n${table.join('\n')}`)
})
