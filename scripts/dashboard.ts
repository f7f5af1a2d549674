import { writeFileSync } from 'node:fs'
import { dashboard } from './dashboard/dashboard.ts'

// `npm run dashboard`: writes the dashboard from its rows in scripts/dashboard/. A test fails until it has run.
writeFileSync('deploy/grafana/dashboard.json', dashboard())
