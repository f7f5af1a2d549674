import { capacity } from './command.ts'

/** `npm run capacity`: simulates a day of an app. */
process.exitCode = capacity(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  warn: (text) => process.stderr.write(text),
})
