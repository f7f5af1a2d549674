import type { FastifyBaseLogger } from 'fastify'
import { readSmallFile } from '../lib/small-file.ts'
import type { Reloader } from './reloads.ts'

/** The result for new contents. `log` has details without secrets. */
export type Outcome = Readonly<{
  /** `unavailable`: the check itself was not possible. */
  result: 'taken' | 'refused' | 'unavailable'
  log?: Readonly<Record<string, unknown>>
}>

/** Files that belong together, such as an access key and its secret key. */
export type SecretFiles = Readonly<{
  /** Name for log and metric, such as `sts_keys`. */
  secret: string
  /** The target that it belongs to. */
  target?: string
  paths: readonly string[]
  /** Parses the text of a file; by default the text itself. */
  clean?: (content: string) => string
  /** The secrets in use, in the order of the paths. */
  current: () => readonly string[]
  /** Replaces the secrets in use, if the new ones are good. */
  take: (contents: readonly string[]) => Promise<Outcome>
}>

type Dependencies = Readonly<{
  logger: FastifyBaseLogger
  /** Called for each result that is logged. */
  count: (result: Outcome['result'] | 'unreadable') => void
  read?: (path: string) => Promise<string>
}>

/** Number of equal reads after which a file counts as completely written. */
const SETTLED_LOOKS = 2
/** While one of several files is unchanged, the watcher waits half a minute for it to change too. */
const HALF_CHANGED_LOOKS = 15
/**
 * A refused secret is tried again at growing intervals, because it takes a while until all of JD Cloud knows a new key.
 */
const FIRST_RETRY_LOOKS = 15
const LAST_RETRY_LOOKS = 300

/** The state of the contents seen last. Times are counted in looks, because the system's clock can be set. */
type Seen = { contents: readonly string[] | undefined; looks: number; tryAt: number; pause: number }

/**
 * Replaces secrets when their files change. Each look reads the contents: they are small, and times and sizes do not
 * show two writes within a second or a swapped link. The secrets in use stay until the new ones have passed their
 * check.
 */
export function watchSecretFiles(
  { secret, paths, clean = (content) => content, current, take }: SecretFiles,
  { logger, count, read = readSecret }: Dependencies,
): Reloader {
  let seen: Seen | undefined
  /** Whether the log's last word is that a secret cannot be used. */
  let inTrouble = false

  function tell(result: Outcome['result'] | 'unreadable', log: Outcome['log'] = {}) {
    count(result)
    inTrouble = result !== 'taken'
    if (result === 'taken') logger.info({ secret, ...log }, 'a secret has changed and is in use')
    else logger.error({ secret, result, ...log }, 'a secret has changed and cannot be used: the old one stays')
  }

  return async (why) => {
    const contents = await Promise.all(paths.map(async (path) => clean(await read(path)))).catch(() => undefined)
    const inUse = current()
    if (contents && same(contents, inUse)) {
      seen = undefined
      if (inTrouble) logger.info({ secret }, 'the files have the secret in use again')
      inTrouble = false
      return
    }
    if (!seen || !same(contents, seen.contents)) {
      const half = contents?.some((content, i) => content === inUse[i])
      const settled = half ? HALF_CHANGED_LOOKS : SETTLED_LOOKS
      seen = { contents, looks: 0, tryAt: settled, pause: FIRST_RETRY_LOOKS }
    }
    seen.looks++
    if (why === 'clock' && seen.looks < seen.tryAt) return
    seen.tryAt = seen.looks + seen.pause
    seen.pause = Math.min(seen.pause * 2, LAST_RETRY_LOOKS)
    if (!contents) {
      tell('unreadable')
      return
    }
    const { result, log } = await take(contents)
    tell(result, log)
    if (result === 'taken') seen = undefined
  }
}

function same(these: readonly string[] | undefined, those: readonly string[] | undefined): boolean {
  if (!these || !those) return these === those
  return these.length === those.length && these.every((one, i) => one === those[i])
}

/** Larger files are not secrets. */
const MAX_BYTES = 64 * 1024

const readSecret = (path: string) => readSmallFile(path, MAX_BYTES)
