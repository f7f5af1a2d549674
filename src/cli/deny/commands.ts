import { readDenyFile } from '../../config/deny-file.ts'
import { ConfigError, EX_CONFIG } from '../../config/faults.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { CommandError, createPaint, type Io, writeJson } from '../io.ts'
import { configuredIssuers } from '../settings.ts'
import { type NameOptions, namedEntry } from './name.ts'
import { say, withSharedList } from './redis.ts'
import { forFile, forMachines, type Listed, showEntry, untilWhen, whom } from './show.ts'

/** Replicas look four times a second. After this, each that reaches Redis has seen a change. */
const SPREAD_MS = 1000

type Dependencies = Readonly<{ clock?: Pick<Clock, 'after' | 'now'>; spreadMs?: number }>

/** `oss-vend deny`: 0 when the entry is in force on every replica that reaches Redis. @throws {CommandError} */
export async function denyCommand(
  io: Io,
  { forMs, ...options }: NameOptions & Readonly<{ forMs?: number }>,
  { clock = systemClock(), spreadMs = SPREAD_MS }: Dependencies = {},
): Promise<number> {
  const denial = namedEntry(io, options, { known: true })
  return configured(io, async () => {
    const record = await withSharedList(io, clock, (list) =>
      say(list, ({ redisNow }) => ({
        ...denial,
        ...(forMs !== undefined && { until: redisNow + forMs }),
        denied: true,
      })),
    )
    if (!record)
      throw new CommandError(`${NO_REDIS} Put this into the file that DENY_FILE names:\n\n${forFile(denial)}`, 2)
    await spread(clock, spreadMs)
    io.out(`${createPaint(io.terminal.out).green('✓')} Denied: ${whom(record)}${untilWhen(record)}.\n`)
    io.err(`${DENIED_NOTE}\n`)
    return 0
  })
}

/** `oss-vend allow`: 0 when the entry is lifted, 1 when there was none. @throws {CommandError} */
export async function allowCommand(
  io: Io,
  options: NameOptions,
  { clock = systemClock(), spreadMs = SPREAD_MS }: Dependencies = {},
): Promise<number> {
  const named = namedEntry(io, options, { known: false })
  const isSame = ({ denial: { by, issuer, name } }: Listed) =>
    by === named.by && issuer === named.issuer && name === named.name
  return configured(io, async () => {
    const { listed, fault } = listedInFile(io, clock.now())
    const answer = await withSharedList(io, clock, async (list) => {
      const lifted = await say(list, ({ records, redisNow }) =>
        inForce([...records.values()], redisNow).some(({ denial }) => isSame({ denial, source: 'redis' }))
          ? { by: named.by, issuer: named.issuer, name: named.name, denied: false }
          : undefined,
      )
      const { records, redisNow } = await list.read()
      return { lifted, rest: inForce([...records.values()], redisNow) }
    })
    if (!answer) throw new CommandError(`${NO_REDIS} Remove the entry from the file that DENY_FILE names`, 2)
    const { lifted, rest } = answer
    if (lifted) {
      await spread(clock, spreadMs)
      io.out(`${createPaint(io.terminal.out).green('✓')} Allowed again: ${whom(named)}.\n`)
    } else io.out(`${createPaint(io.terminal.out).red('✗')} Redis has no entry for ${whom(named)}.\n`)
    if (fault) io.err(`${fault.message}\n`)
    const covering = [...rest, ...listed].filter(
      (one) => isSame(one) || (one.denial.by === 'issuer' && one.denial.issuer === named.issuer),
    )
    for (const one of covering)
      io.err(`Still denied by ${one.source === 'file' ? 'DENY_FILE' : 'Redis'}: ${whom(one.denial)}.\n`)
    return lifted ? 0 : 1
  })
}

/** `oss-vend denied`: all entries in force, of the file and of Redis. @throws {CommandError} */
export async function deniedCommand(
  io: Io,
  json: boolean,
  { clock = systemClock() }: Dependencies = {},
): Promise<number> {
  return configured(
    io,
    async () => {
      const { listed, fault } = listedInFile(io, clock.now())
      const names = configuredIssuers(io.env).map(({ name }) => name)
      const fromRedis = await withSharedList(io, clock, async (list) => {
        const { records, redisNow } = await list.read()
        return inForce([...records.values()], redisNow).map((one) => ({
          ...one,
          unknownIssuer: !names.includes(one.denial.issuer),
        }))
      })
      if (!fromRedis && !io.env.DENY_FILE) throw new CommandError(`${NO_REDIS} ${NO_FILE}`, 2)
      const all = [...listed, ...(fromRedis ?? [])]
      const error = fault && { error: fault.message }
      if (json) writeJson(io, { entries: all.map(forMachines), ...error })
      else {
        for (const one of all) io.out(`${showEntry(one)}\n`)
        const inRedis = fromRedis ? [`${entries(fromRedis.length)} in Redis`] : []
        if (fault) io.err(`${[fault.message, ...inRedis].join('\n')}\n`)
        else io.err(`${[`${entries(listed.length)} in DENY_FILE`, ...inRedis].join(', ')}\n`)
      }
      return fault ? EX_CONFIG : 0
    },
    json,
  )
}

const entries = (number: number) => (number === 1 ? '1 entry' : `${number} entries`)
const NO_FILE = 'DENY_FILE is not set either: nobody is denied'
const NO_REDIS = 'There is no REDIS_URL, so replicas share no denylist.'
const DENIED_NOTE =
  'In force on every replica that reaches Redis. Sessions and URLs that were given out before work until they expire: see docs/denylist.md. An entry that must outlive Redis belongs into the file of DENY_FILE.'

const inForce = (records: readonly (Listed['denial'] & { denied: boolean; at: number })[], now: number): Listed[] =>
  records
    .filter(({ denied, until = Number.POSITIVE_INFINITY }) => denied && until > now)
    .map(({ denied: _, at, ...denial }) => ({ denial, source: 'redis', at }))

/** A bad file hides nothing of Redis, and keeps nobody from lifting an entry there. */
function listedInFile(io: Io, now: number): Readonly<{ listed: readonly Listed[]; fault?: ConfigError }> {
  const { DENY_FILE: path } = io.env
  if (!path) return { listed: [] }
  const faults: ConfigError['faults'][number][] = []
  const names = configuredIssuers(io.env).map(({ name }) => name)
  const file = readDenyFile(path, names, (variable, rule, remedy) => faults.push({ variable, rule, remedy }))
  if (!file) return { listed: [], fault: new ConfigError(faults) }
  const standing = file.denials.filter(({ until = Number.POSITIVE_INFINITY }) => until > now)
  return { listed: standing.map((denial) => ({ denial, source: 'file' })) }
}

/** Runs a command. 78, after its faults are told, for a configuration that cannot be used. They never quote a value. */
async function configured(io: Io, run: () => Promise<number>, json = false): Promise<number> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    if (json) writeJson(io, { error: error.message })
    else io.err(`${error.message}\n`)
    return EX_CONFIG
  }
}

const spread = ({ after }: Pick<Clock, 'after'>, ms: number) => new Promise<void>((resolve) => void after(ms, resolve))
