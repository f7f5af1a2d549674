import { Command, InvalidArgumentError } from 'commander'
import { collectClaim } from '../../src/cli/claims.ts'
import { mintToken } from '../issuer.ts'

/** `npm run --silent token`: prints a token for the service that `npm run dev` runs. */
function wholeSeconds(text: string): number {
  if (!/^-?\d{1,9}$/u.test(text)) throw new InvalidArgumentError('must be a whole number of seconds.')
  return Number(text)
}

const options = new Command('npm run --silent token --')
  .description('Print a token for the service that npm run dev starts.')
  .requiredOption('--sub <subject>', 'subject of the token')
  .option('--claim <name=value>', 'a claim, as text or JSON; can be repeated', collectClaim, {})
  .option('--expires <seconds>', 'how long it is valid; negative for an expired token', wholeSeconds, 3600)
  .addHelpText('after', '\nExample:\n  npm run --silent token -- --sub alice --claim scope=oss.upload')
  .parse()
  .opts<{ sub: string; claim: Record<string, unknown>; expires: number }>()

const token = await mintToken({ sub: options.sub, claims: options.claim, expiresSeconds: options.expires })
process.stdout.write(`${token}\n`)
