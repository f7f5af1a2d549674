import { startSandbox } from '../../sandbox/index.ts'
import { sandboxEnvironment } from '../../sandbox/local.ts'
import { AUDIENCE, claims, ISSUER, keys, mint } from '../helpers/tokens.ts'

/** Runs a sandbox until it is ended, and prints the environment of a service that vends from it, then a token. */
const issuer = { JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE, JWT_SECRET: keys.hmac }
const environment = { ...sandboxEnvironment(await startSandbox()), ...issuer }
for (const [name, value] of Object.entries(environment)) process.stdout.write(`${name}=${value}\n`)
process.stdout.write(`TOKEN=${mint(claims())}\n`)
