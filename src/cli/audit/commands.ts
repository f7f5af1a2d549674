import type { Command } from 'commander'
import type { Io } from '../io.ts'
import { type VerifyOptions, verifyCommand } from './verify-command.ts'
import { type WhoOptions, whoCommand } from './who-command.ts'

type Tools = Readonly<{
  io: Io
  done: (code: number) => void
  command: (parent: Command, name: string, description: string) => Command
  collect: (value: string, values?: readonly string[]) => string[]
  dateTime: (text: string) => number
}>

/** `oss-vend audit …`. */
export function auditCommands(program: Command, { io, done, command, collect, dateTime }: Tools): void {
  const audit = command(program, 'audit', 'check audit files, and find out whose a session is').addHelpText(
    'after',
    HELP,
  )
  command(audit, 'verify <files...>', 'find lines that were changed, removed or moved')
    .option('--head <mac>', 'a mac that was kept elsewhere and must be in the files; repeatable', collect)
    .option('--json', 'print the result as JSON')
    .action(async (files: readonly string[], options: VerifyOptions) => done(await verifyCommand(io, files, options)))
  command(audit, 'who [files...]', 'say whose a session is that the operation audit of JD Cloud names')
    .option('--session <name>', 'the roleSessionName there')
    .option('--access-key <id>', 'the access key there')
    .option('--at <time>', 'when it was used, such as 2030-01-31T12:00:00Z', dateTime)
    .option('--key <key>', 'the key of the object, for a session that signs URLs and forms')
    .option('--issuer <name>', 'short name of an issuer; repeatable (default: all)', collect)
    .option('--subject <subject>', 'a subject that it may be; repeatable', collect)
    .option('--subjects <file>', 'file of subjects that it may be, one a line')
    .option('--json', 'print the result as JSON')
    .action(async (files: readonly string[], options: WhoOptions) => done(await whoCommand(io, files, options)))
}

const HELP = `
Files may be gzipped (.gz); - is standard input. "verify" reads AUDIT_CHAIN_KEY, "who" reads AUDIT_SUBJECT_KEY and
JWT_ISSUERS_FILE. See docs/audit.md.`
