import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { startSandbox } from '../index.ts'
import { mintToken } from '../issuer.ts'
import { sandboxEnvironment } from '../local.ts'

/**
 * `npm run sandbox`: runs STS and OSS alone, for a service that runs elsewhere on this machine. The service that ships
 * refuses the published secret of the sandbox's issuer, so each start makes a secret of its own.
 */
const { settings, token: tokenFile } = new Command('npm run sandbox --')
  .description('Run the sandbox for a service of your own: write its settings, and a token for alice, to two files.')
  .option('--settings <file>', 'where the settings go', 'sandbox.env')
  .option('--token <file>', 'where the token goes', 'sandbox.token')
  .parse()
  .opts<{ settings: string; token: string }>()

const sandbox = await startSandbox()
const secret = randomBytes(32).toString('base64url')
const environment = { ...sandboxEnvironment(sandbox), JWT_SECRET: secret }
const token = await mintToken({ sub: 'alice', claims: { scope: 'oss.upload oss.files oss.download' }, secret })
const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`)
await replace(tokenFile, `${token}\n`)
await replace(settings, lines.join(''))
process.stdout.write(`STS is at ${sandbox.sts.url}, OSS at ${sandbox.oss.url}.
${settings} has the settings for the service, ${tokenFile} a token for alice that is valid for one hour.
`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void sandbox.close().then(() => process.exit(0)))
}

/** A file that exists may be readable by others. */
async function replace(file: string, text: string): Promise<void> {
  await rm(file, { force: true })
  await writeFile(file, text, { mode: 0o600, flag: 'wx' })
}
