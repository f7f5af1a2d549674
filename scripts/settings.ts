import { readFileSync, writeFileSync } from 'node:fs'
import { envExample, withTables } from './settings-reference.ts'

// `npm run settings`: writes the files that come from the table of settings. A test fails until it has run.
const page = 'docs/configuration.md'
writeFileSync('.env.example', envExample())
writeFileSync(page, withTables(readFileSync(page, 'utf8')))
