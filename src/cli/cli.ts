import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { VendError } from '../errors.ts'
import { withoutTokens } from '../lib/without-tokens.ts'
import { refusalOf } from '../policy/check/examples.ts'
import { isOperation, OPERATION_ACTIONS } from '../policy/language/operations.ts'
import { templateJsonSchema } from '../policy/template/template.ts'
import { auditCommands } from './audit/commands.ts'
import type { CallerOptions } from './caller.ts'
import { collectClaim, collectParam } from './claims.ts'
import { type CredentialsOptions, credentialsCommand } from './credentials-command.ts'
import { registerDeny } from './deny/register.ts'
import { diffCommand } from './diff-command.ts'
import { type DoctorOptions, doctorCommand } from './doctor/doctor-command.ts'
import { explainCommand } from './explain-command.ts'
import { type IamOptions, iamCommand } from './iam/iam-command.ts'
import { DOCUMENTS } from './iam/roles.ts'
import { type InspectOptions, inspectCommand } from './inspect-command.ts'
import { CommandError, type Io, writeJson } from './io.ts'
import { lintCommand } from './lint-command.ts'
import { renderCommand } from './render-command.ts'
import { lintSettings, templatesDirectory } from './settings.ts'
import { soundTemplate } from './sound-template.ts'
import { testCommand } from './test-command.ts'

type Shared = Readonly<{ issuer?: readonly string[]; targets?: string; json?: boolean }>
type Named = Shared & CallerOptions & Readonly<{ dir?: string }>

/**
 * Runs a command of `oss-vend`, and returns its exit code. 0: nothing is wrong. 1: something was found, refused or gained.
 * 2: wrong usage.
 * @param serve runs the service, and resolves when it listens
 */
export async function runCli(args: readonly string[], io: Io, serve: () => Promise<void>): Promise<number> {
  let exitCode = 0
  const done = (code: number) => {
    exitCode = code
  }
  const program = build(io, serve, done)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof CommandError) {
      if (args.includes('--json')) writeJson(io, { error: error.message })
      else io.err(`${error.message}\n`)
      return error.exitCode
    }
    // A question whose key is missing or superfluous: the pointer names the option.
    if (error instanceof VendError) {
      io.err(`${refusalOf(error).replaceAll('/key', '--key')}\n`)
      return 2
    }
    throw error
  }
}

function build(io: Io, serve: () => Promise<void>, done: (code: number) => void): Command {
  const program = new Command('oss-vend')
    .description(
      'Trade the JWT that an app user already has for short-lived, least-privilege JD Cloud OSS credentials.',
    )
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: (text) => io.err(withoutTokens(text)) })
    .helpCommand(false)
    .addHelpText('after', '\nExit codes: 0 nothing is wrong, 1 something was found or refused, 2 wrong usage.')
  const command = (parent: Command, name: string, description: string) =>
    parent.command(name).description(description).copyInheritedSettings(program).helpCommand(false)

  command(program, 'serve', 'run the service; this is the default command').action(serve)

  command(program, 'credentials', 'print credentials for a credential_process of AWS SDKs and tools')
    .requiredOption('--url <url>', 'address of the service')
    .requiredOption('--policy <name>', 'policy to ask for')
    .option('--param <name=value>', 'a parameter of the policy; may be given several times', collectParam)
    .option('--action <action>', 'an action to restrict the session to, such as oss:GetObject; repeatable', collect)
    .option('--prefix <prefix>', 'the beginning of keys to restrict the session to')
    .option('--token-file <file>', "file with the caller's token")
    .option('--token-env <name>', 'environment variable with it')
    .option('--token-command <command>', 'shell command that prints it')
    .action(async (options: CredentialsOptions) => done(await credentialsCommand(io, options)))

  registerDeny((name, description) => command(program, name, description), io, done)
  command(program, 'doctor', 'check that all is set up right: keys, role, templates, bucket, key sets, Redis')
    .option('--probe', 'also write, read and delete a small object in the folders of each template')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', DOCTOR_HELP)
    .action(async (options: DoctorOptions) => done(await doctorCommand(io, options)))
  auditCommands(program, { io, done, command, collect, dateTime })

  const token = command(program, 'token', 'say why a token is accepted or refused')
  command(token, 'inspect', 'check a token as the service does, and name the setting to change')
    .usage('[options] < token')
    .argument('[nothing...]')
    .option('--file <file>', 'file with the token (default: standard input)')
    .option('--dir <dir>', 'directory of templates')
    .option('--at <time>', 'judge at this time, such as 2030-01-31T12:00:00Z (default: now)', dateTime)
    .option('--no-fetch', 'do not fetch key sets: the signature is then not checked')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', TOKEN_HELP)
    .action(async (words: readonly string[], options: InspectOptions) => {
      if (words.length > 0) throw new CommandError(NO_ARGUMENT, 2)
      done(await inspectCommand(io, options))
    })

  command(program, 'iam', 'print the policies of the role and the sub-user, for your account, bucket and templates')
    .addOption(new Option('--document <name>', 'only this document').choices(DOCUMENTS))
    .option('--target <name>', 'only the role of this target')
    .option('--user <name>', 'name of the sub-user, which the trust of the role then names', userName)
    .option('--dir <dir>', 'directory of templates')
    .option('--issuer <name>', 'short name of an issuer; repeatable', collect)
    .option('--targets <file>', 'file of several targets (default: TARGETS_FILE)')
    .option('--json', 'print all documents as one')
    .addHelpText('after', IAM_HELP)
    .action(async (options: IamOptions) => done(await iamCommand(io, options)))

  const policies = command(program, 'policies', 'check, test, explain and compare policy templates').addHelpText(
    'after',
    '\nThe commands read JDCLOUD_ACCOUNT_ID, OSS_BUCKET, OSS_REGION, JDCLOUD_MAX_SESSION_SECONDS, JWT_ISSUERS_FILE\nand TARGETS_FILE;\nunset variables have the values of the documentation. The default directory is POLICIES_DIR, then ./policies, then the\nshipped templates.',
  )
  const policyCommand = (name: string, description: string) =>
    command(policies, name, description)
      .option('--issuer <name>', 'short name of an issuer; repeatable', collect)
      .option('--targets <file>', 'file of several targets (default: TARGETS_FILE)')
      .option('--json', 'print the result as JSON')
  const named = (name: string, description: string) =>
    policyCommand(`${name} <name>`, description)
      .option('--dir <dir>', 'directory of templates')
      .option('--as-issuer <name>', "the caller's issuer (default: the template's first, or the first)")
      .option('--claim <name=value>', 'a claim, as text or JSON; repeatable', collectClaim)
      .option('--param <name=value>', 'a parameter; repeatable', collectParam)
      .option('--duration <seconds>', 'requested length of the session', wholeSeconds)
  const settingsOf = (options: Shared) => lintSettings(io.env, options)
  const directoryOf = (directory: string | undefined) => directory ?? templatesDirectory(io.env)

  policyCommand('lint [dir]', 'find what leaks, has no effect or misleads').action(
    async (directory: string | undefined, options: Shared) =>
      done(await lintCommand(io, directoryOf(directory), settingsOf(options), options.json ?? false)),
  )
  policyCommand('test [dir]', 'run the examples of every template').action(
    async (directory: string | undefined, options: Shared) =>
      done(await testCommand(io, directoryOf(directory), settingsOf(options), options.json ?? false)),
  )
  named('render', 'print the session policy that a caller would get').action(async (name: string, options: Named) => {
    const settings = settingsOf(options)
    const template = await soundTemplate(directoryOf(options.dir), name, settings)
    done(renderCommand(io, template, options, settings, options.json ?? false))
  })
  named('explain', 'say what a caller would get, or why not')
    .addOption(
      new Option('--operation <operation>', 'ask about an S3 operation').choices(Object.keys(OPERATION_ACTIONS)),
    )
    .option('--key <key>', 'the key of the operation')
    .action(async (name: string, options: Named & { operation?: string; key?: string }) => {
      const { operation, key } = options
      if (key !== undefined && operation === undefined) throw new CommandError('--key needs --operation', 2)
      const settings = settingsOf(options)
      const template = await soundTemplate(directoryOf(options.dir), name, settings)
      const question = operation !== undefined && isOperation(operation) ? { operation, key } : undefined
      done(explainCommand(io, template, { ...options, ...(question && { question }) }, settings, options.json ?? false))
    })
  command(policies, 'schema', 'print the JSON Schema of templates, for editors')
    .option('--json', 'no effect: the output is always JSON')
    .action(() => writeJson(io, templateJsonSchema()))
  policyCommand('diff <before> <after>', 'show what callers gain and lose between two directories').action(
    async (before: string, after: string, options: Shared) =>
      done(await diffCommand(io, [before, after], settingsOf(options), options.json ?? false)),
  )
  return program
}

const IAM_HELP = `
The command reads the variables of the service and needs none of its keys. Documents go to standard output, and words to
standard error: oss-vend iam --document role > role.json.`
const DOCTOR_HELP = `
The command reads the variables of the service. It asks STS for sessions and opens connections to OSS, to key servers and
to Redis. It prints no secret, and without --probe it writes no object.

Exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage, 78 a configuration that cannot be used.`

const TOKEN_HELP = `
The command reads the JWT_ variables of the service, HTTPS_PROXY and the like, and what the policies commands read. It
fetches the key set of the token's issuer if the service would, and says so; it never sends the token anywhere, and never
prints it or its signature.

Exit codes: 0 the service would accept it, 1 it would not, 2 wrong usage, 78 a configuration that cannot be used.`

const NO_ARGUMENT =
  'A token must not be an argument: the history of the shell keeps it, and every user of the machine sees it in the list of processes. Give it by standard input or --file'

const collect = (value: string, values: readonly string[] = []): string[] => [...values, value]

function dateTime(text: string): number {
  const { data } = z.iso.datetime({ offset: true }).safeParse(text)
  if (data === undefined) throw new InvalidArgumentError('must be a date and time such as 2030-01-31T12:00:00Z.')
  return Date.parse(data)
}

function userName(text: string): string {
  if (!/^[\w+=,.@-]{1,64}$/u.test(text))
    throw new InvalidArgumentError('must be the name of a user, not its JRN or ARN.')
  return text
}

function wholeSeconds(text: string): number {
  if (!/^\d{1,6}$/u.test(text)) throw new InvalidArgumentError('must be a whole number of seconds.')
  return Number(text)
}
