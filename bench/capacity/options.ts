import { Command, InvalidArgumentError, Option } from 'commander'
import { EXACT_USERS } from './exact.ts'
import { DAY } from './pattern.ts'
import { cachesOf, DEFAULTS, PATTERNS, type Pattern, type Scenario } from './scenario.ts'

/** The parsed options. `scenarios` has one entry for each combination of users and session length. */
export type Asked = Readonly<{
  scenarios: readonly Scenario[]
  findUsers: boolean
  exact: boolean
  json: boolean
  /** Folder to write the charts of docs/capacity.md to. */
  charts: string | undefined
}>

type Given = Readonly<{
  users: readonly number[]
  session: readonly number[]
  pattern: Pattern
  opens: number
  use: number
  askEvery: number
  signedUrls: boolean
  signEvery: number
  templates: number
  quota: number
  accounts: number
  queue: number
  retryAfter: number
  attempts: number
  stsTime: number
  replicas: number
  sharedCache: boolean
  cores: number
  vendsPerCore: number
  signaturesPerCore: number
  sessionBytes: number
  memory: number
  redisMemory: number
  answerBytes: number
  network: number
  seed: number
  exact: boolean
  findUsers: boolean
  json: boolean
  charts?: string
}>

const number =
  (least: number, most: number, whole = true) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+(?:\.\d+)?$/u.test(text) || value < least || value > most || (whole && !Number.isInteger(value)))
      throw new InvalidArgumentError(`must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}.`)
    return value
  }

const list = (least: number, most: number) => (text: string) => text.split(',').map(number(least, most))

/**
 * @param argv without node and script
 * @throws {CommanderError} for `--help` (exit code 0) and for wrong options
 */
export function parseOptions(
  argv: readonly string[],
  write: (text: string) => void,
  warn: (text: string) => void,
): Asked {
  const { costs } = DEFAULTS
  const command = new Command('npm run --silent capacity --')
    .description('Simulate a day of an app: how many users can one account serve, and which limit do they reach first?')
    .option('--users <list>', 'number of users, or several: 1000,1000000', list(1, 1_000_000_000), [DEFAULTS.users])
    .option('--session <list>', 'session length in seconds, or several', list(3600, 43_200), [DEFAULTS.sessionSeconds])
    .addOption(
      new Option('--pattern <name>', 'how callers arrive during the day').choices(PATTERNS).default(DEFAULTS.pattern),
    )
    .option(
      '--opens <count>',
      'how often a user opens the app in a day',
      number(0.01, 1000, false),
      DEFAULTS.opensPerDay,
    )
    .option('--use <seconds>', 'mean time that a user stays in the app', number(10, 43_200), DEFAULTS.useSeconds)
    .option(
      '--ask-every <seconds>',
      'time between two requests for credentials while the app is open',
      number(10, 43_200),
      DEFAULTS.askSeconds,
    )
    .option('--signed-urls', 'the service signs with one session for each template', false)
    .option(
      '--sign-every <seconds>',
      'time between two requests for a signed URL while the app is open',
      number(1, 43_200),
      DEFAULTS.signSeconds,
    )
    .option('--templates <count>', 'templates that sign', number(1, 1000), DEFAULTS.templates)
    .option(
      '--quota <calls>',
      'AssumeRole calls a second for one account',
      number(0.1, 1e6, false),
      DEFAULTS.quotaPerSecond,
    )
    .option(
      '--accounts <count>',
      'accounts, or roles if STS has a quota for each role',
      number(1, 10_000),
      DEFAULTS.accounts,
    )
    .option('--queue <seconds>', 'longest wait for STS', number(0, 60, false), DEFAULTS.queueSeconds)
    .option('--retry-after <seconds>', 'mean wait after a 503', number(1, 3600), DEFAULTS.retryAfterSeconds)
    .option('--attempts <count>', 'attempts of an app for each request', number(1, 20), DEFAULTS.attempts)
    .option('--sts-time <seconds>', 'duration of an AssumeRole call', number(0, 60, false), DEFAULTS.stsSeconds)
    .option('--replicas <count>', 'replicas of the service', number(1, 10_000), DEFAULTS.replicas)
    .option('--no-shared-cache', 'without Redis: each replica has its own sessions')
    .option('--cores <count>', 'assumed: cores of a replica', number(0.1, 1000, false), costs.coresPerReplica)
    .option('--vends-per-core <rate>', 'assumed: cached vends a second', number(1, 1e6), costs.vendsPerCore)
    .option('--signatures-per-core <rate>', 'assumed: signed URLs a second', number(1, 1e6), costs.signaturesPerCore)
    .option('--session-bytes <bytes>', 'assumed: memory of a cached session', number(1, 1e6), costs.bytesPerSession)
    .option('--memory <MB>', 'assumed: cache memory of a replica', number(1, 1e7), costs.bytesPerReplica / 1e6)
    .option(
      '--redis-memory <MB>',
      'assumed: memory of the shared cache',
      number(1, 1e9),
      costs.bytesOfSharedCache / 1e6,
    )
    .option('--answer-bytes <bytes>', 'assumed: size of an answer', number(1, 1e6), costs.bytesPerAnswer)
    .option(
      '--network <MB>',
      'assumed: network of a replica, MB a second',
      number(1, 1e6),
      costs.networkBytesPerSecond / 1e6,
    )
    .option('--seed <number>', 'the same seed gives the same day', number(0, 2 ** 31 - 1), DEFAULTS.seed)
    .option('--exact', `simulate each user instead of cohorts; users times caches may be ${EXACT_USERS} at most`, false)
    .option('--find-users', 'find the most users that fit, in place of --users', false)
    .option('--json', 'print JSON', false)
    .option('--charts <folder>', 'only write the charts of docs/capacity.md to this folder')
    .addHelpText(
      'after',
      `
Patterns: flat; daily (a wave with its peak at noon); morning (half of the opens around eight o'clock); push (daily,
and a notification at noon makes a tenth of all users open the app in one minute); outage (daily, and STS is down in
the half hour before noon). The service refreshes a session after half of its life, and gives none with less than
900 s left.

Exit code: 0 everything fits, 1 something exceeds a limit, 2 the options are wrong.

Examples:
  npm run --silent capacity -- --users 100000,1000000,10000000 --pattern push
  npm run --silent capacity -- --find-users --session 3600,43200 --replicas 12 --no-shared-cache`,
    )
    .configureOutput({ writeOut: write, writeErr: warn })
    .exitOverride()
    .parse(argv, { from: 'user' })
  const given = command.opts<Given>()
  const scenarios = (given.findUsers ? [DEFAULTS.users] : given.users).flatMap((users) =>
    given.session.map((sessionSeconds) => scenarioOf(given, users, sessionSeconds)),
  )
  const fault = scenarios.map((scenario) => faultOf(scenario, given)).find((text) => text !== undefined)
  if (fault !== undefined) command.error(`error: ${fault}`)
  const { findUsers, exact, json, charts } = given
  return { scenarios, findUsers, exact, json, charts }
}

/** Faults that only a combination of options shows. */
function faultOf(scenario: Scenario, { exact, findUsers }: Given): string | undefined {
  const { opensPerDay, useSeconds, users, mode } = scenario
  if (opensPerDay * useSeconds > 0.9 * DAY) return '--opens times --use must be at most nine tenths of a day.'
  if (!exact) return undefined
  if (mode === 'signed-urls' || findUsers) return '--exact does not work with --signed-urls or --find-users.'
  if (users * cachesOf(scenario) > EXACT_USERS) return `--exact allows at most ${EXACT_USERS} users times caches.`
  return undefined
}

function scenarioOf(given: Given, users: number, sessionSeconds: number): Scenario {
  return {
    users,
    sessionSeconds,
    pattern: given.pattern,
    opensPerDay: given.opens,
    useSeconds: given.use,
    askSeconds: given.askEvery,
    mode: given.signedUrls ? 'signed-urls' : 'sessions',
    signSeconds: given.signEvery,
    templates: given.templates,
    quotaPerSecond: given.quota,
    accounts: given.accounts,
    queueSeconds: given.queue,
    retryAfterSeconds: given.retryAfter,
    attempts: given.attempts,
    stsSeconds: given.stsTime,
    replicas: given.replicas,
    sharedCache: given.sharedCache,
    seed: given.seed,
    costs: {
      coresPerReplica: given.cores,
      vendsPerCore: given.vendsPerCore,
      signaturesPerCore: given.signaturesPerCore,
      bytesPerSession: given.sessionBytes,
      bytesPerReplica: given.memory * 1e6,
      bytesOfSharedCache: given.redisMemory * 1e6,
      bytesPerAnswer: given.answerBytes,
      networkBytesPerSecond: given.network * 1e6,
    },
  }
}
