import { writeFileSync } from 'node:fs'
import { eventJsonSchema } from '../src/observe/audit/schema.ts'

// `npx tsx scripts/audit-schema.ts`: publishes the schema of audit events. A test fails until it has run.
writeFileSync('docs/audit-event.schema.json', `${JSON.stringify(eventJsonSchema(), null, 2)}\n`)
