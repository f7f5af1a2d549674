import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { checkAdvisories, EXIT_CODES, readAccepted } from './supply-chain/advisories.ts'

// `npm run advisories`: asks the registry about the shipped packages. 0: none is open. 1: one is, or an exception is over.
// 3: the registry offers no audit, so nothing was checked.
const accepted = readAccepted(readFileSync('scripts/supply-chain/advisories.yaml', 'utf8'))
// npm exits with 1 for a finding and for a failure alike, so only its output counts.
const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' })
const { outcome, lines } = checkAdvisories(stdout ?? '', accepted, Date.now())
process.stdout.write(`${lines.join('\n')}\n`)
process.exitCode = EXIT_CODES[outcome]
