import { readFileSync, writeFileSync } from 'node:fs'
import { envExample, withTables } from './settings-reference.ts'

// Writes what is made from the table of settings. `npm run settings`; a test fails while it has not been run.
const page = 'docs/configuration.md'
writeFileSync('.env.example', envExample())
writeFileSync(page, withTables(readFileSync(page, 'utf8')))
