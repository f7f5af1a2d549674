import { capacity } from './command.ts'

/** `npm run capacity`: a day of an app, simulated. */
process.exitCode = capacity(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  warn: (text) => process.stderr.write(text),
})
