import { writeFileSync } from 'node:fs'
import { readApi } from './api-document.ts'
import { apiReference } from './api-reference.ts'

// `npm run api`: writes the files that come from the routes. A test fails until it has run.
const { json, document } = await readApi()
writeFileSync('docs/openapi.json', `${JSON.stringify(json, null, 2)}\n`)
writeFileSync('docs/api.md', apiReference(document))
