import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { checkLicences, readRules, thirdPartyLicences } from './supply-chain/licences.ts'
import { shippedPackages } from './supply-chain/packages.ts'

// `npm run licences`: fails for a licence that is not on the list. `-- --write <file>` writes the texts that must go with
// the code.
const { values } = parseArgs({ options: { write: { type: 'string' } } })
const rules = readRules(readFileSync('scripts/supply-chain/licences.yaml', 'utf8'))
const report = checkLicences(shippedPackages('.'), rules)

const counts = new Map<string, number>()
for (const licence of report.licences.values()) counts.set(licence, (counts.get(licence) ?? 0) + 1)
for (const [licence, count] of [...counts].sort(([, a], [, b]) => b - a)) {
  process.stdout.write(`${String(count).padStart(5)}  ${licence.padEnd(14)}  ${rules.allowed[licence] ?? ''}\n`)
}
for (const fault of report.faults) process.stdout.write(`✗ ${fault}\n`)
if (report.faults.length > 0) {
  process.stdout.write('→ see "Supply chain" in CONTRIBUTING.md\n')
  process.exitCode = 1
} else if (values.write !== undefined) {
  writeFileSync(values.write, thirdPartyLicences(report, rules, readFileSync('LICENSE', 'utf8')))
}
