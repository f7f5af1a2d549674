import { startSandbox } from '../../sandbox/index.ts'
import { mintToken } from '../../sandbox/issuer.ts'
import { sandboxEnvironment } from '../../sandbox/local.ts'

/** Runs a sandbox until it is ended, and prints the environment of a service that vends from it, then a token. */
const environment = sandboxEnvironment(await startSandbox())
for (const [name, value] of Object.entries(environment)) process.stdout.write(`${name}=${value}\n`)
process.stdout.write(`TOKEN=${await mintToken({ sub: 'alice', claims: { scope: 'oss.upload' } })}\n`)
