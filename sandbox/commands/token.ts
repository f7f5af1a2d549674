import { Command, InvalidArgumentError } from 'commander'
import { mintToken } from '../issuer.ts'

/** `npm run --silent token`: prints a token for the service that `npm run dev` runs. */
function wholeSeconds(text: string): number {
  if (!/^-?\d{1,9}$/u.test(text)) throw new InvalidArgumentError('must be a whole number of seconds.')
  return Number(text)
}

/** `name=value`; a value that is JSON is taken as such, so that lists and numbers can be given. */
function claim(text: string, claims: Record<string, unknown>): Record<string, unknown> {
  const [, name, value = ''] = /^([^=]+)=(.*)$/su.exec(text) ?? []
  if (name === undefined) throw new InvalidArgumentError('must be name=value.')
  return { ...claims, [name]: /^[[{\d"tfn-]/u.test(value) ? parseOr(value) : value }
}

function parseOr(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

const options = new Command('npm run --silent token --')
  .description('Print a token that the service accepts while it runs on the sandbox (npm run dev).')
  .requiredOption('--sub <subject>', 'whose token it is')
  .option('--claim <name=value>', 'a claim, as text or JSON; may be given several times', claim, {})
  .option('--expires <seconds>', 'how long it is valid; negative for one that has expired', wholeSeconds, 3600)
  .addHelpText('after', '\nExample:\n  npm run --silent token -- --sub alice --claim scope=oss.upload')
  .parse()
  .opts<{ sub: string; claim: Record<string, unknown>; expires: number }>()

const token = await mintToken({ sub: options.sub, claims: options.claim, expiresSeconds: options.expires })
process.stdout.write(`${token}\n`)
