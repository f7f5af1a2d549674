import { cachedVends } from './cases/cached-vend.ts'
import { crowds } from './cases/crowd.ts'
import { firstThing } from './cases/first-thing.ts'
import { manySessions } from './cases/many-sessions.ts'
import { start } from './cases/start.ts'
import { twoTargets } from './cases/two-targets.ts'
import { bench } from './command.ts'
import { build } from './lib/build.ts'

/** `npm run bench`: compares the service with named rivals. */
process.exitCode = await bench(
  process.argv.slice(2),
  [...cachedVends, manySessions, firstThing, twoTargets, crowds, start],
  {
    prepare: build,
    write: (text) => process.stdout.write(text),
    warn: (text) => process.stderr.write(text),
  },
)
