import { type Command, InvalidArgumentError } from 'commander'
import type { Io } from '../io.ts'
import { allowCommand, deniedCommand, denyCommand } from './commands.ts'
import type { NameOptions } from './name.ts'

const HELP = `
The commands read REDIS_URL, REDIS_ALLOW_PLAINTEXT, CACHE_ENCRYPTION_KEY, EXTRA_CA_FILE, JWT_ISSUERS_FILE and DENY_FILE, as
the service does. Without Redis, entries stand in the file of DENY_FILE alone.

Exit codes: 0 done, 1 nothing to lift or Redis fails, 2 wrong usage, 78 a configuration that cannot be used.`

/** Adds `deny`, `allow` and `denied`. */
export function registerDeny(
  command: (name: string, description: string) => Command,
  io: Io,
  done: (code: number) => void,
): void {
  const named = (name: string, description: string) =>
    command(name, description)
      .option('--subject <sub>', 'the subject, as tokens have it')
      .option('--token-id <jti>', 'the id of one token')
      .option('--issuer <name>', 'short name of the issuer; alone, all of its callers')
      .addHelpText('after', HELP)
  named('deny', 'refuse a subject, a token or an issuer on every replica')
    .option('--reason <text>', 'why, for the log and for "oss-vend denied"')
    .option('--for <time>', 'how long, such as 30m, 24h or 7d (default: until it is allowed again)', duration)
    .action(async ({ for: forMs, ...options }: NameOptions & { for?: number }) =>
      done(await denyCommand(io, { ...options, ...(forMs !== undefined && { forMs }) })),
    )
  named('allow', 'lift such a refusal').action(async (options: NameOptions) => done(await allowCommand(io, options)))
  command('denied', 'list what is refused')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(async ({ json = false }: { json?: boolean }) => done(await deniedCommand(io, json)))
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds. */
function duration(text: string): number {
  const [, number, unit = ''] = /^([1-9]\d{0,4})([mhd])$/u.exec(text) ?? []
  const ms = Number(number) * (UNITS[unit] ?? Number.NaN)
  if (Number.isNaN(ms)) throw new InvalidArgumentError('must be a time such as 30m, 24h or 7d.')
  return ms
}
