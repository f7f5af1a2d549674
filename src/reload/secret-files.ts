import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Reloader } from './reloads.ts'

/** What became of new contents; `log` says more, and nothing secret. */
export type Outcome = Readonly<{
  /** `unavailable`: nobody could say whether they are good. */
  result: 'taken' | 'refused' | 'unavailable'
  log?: Readonly<Record<string, unknown>>
}>

/** Files whose contents only mean something together, such as an access key and its secret key. */
export type SecretFiles = Readonly<{
  /** For log and metric, such as `sts_keys`. */
  secret: string
  paths: readonly string[]
  /** What the text of a file stands for; itself, when left out. */
  clean?: (content: string) => string
  /** What is in use, in the order of the paths. */
  current: () => readonly string[]
  /** Puts these in place of the current ones, if they are good. */
  take: (contents: readonly string[]) => Promise<Outcome>
}>

type Dependencies = Readonly<{
  logger: FastifyBaseLogger
  /** Told of every outcome that is logged. */
  count: (secret: string, result: Outcome['result'] | 'unreadable') => void
  read?: (path: string) => Promise<string>
}>

/** Contents that stay the same over two looks are written to the end. */
const SETTLED_LOOKS = 2
/** As long as one file of several is as it was, the other half is waited for: half a minute. */
const HALF_CHANGED_LOOKS = 15
/** What was refused is tried again, ever more seldom: a new key can take a while until all of JD Cloud knows it. */
const FIRST_RETRY_LOOKS = 15
const LAST_RETRY_LOOKS = 300

/** What the watcher knows of the contents that it has last seen; everything is counted in looks, as clocks are set. */
type Seen = { contents: readonly string[] | undefined; looks: number; tryAt: number; pause: number }

/**
 * Takes up what changes in these files. Contents are read anew each time: they are small, and times and sizes tell
 * nothing of two writes within a second, or of a link that was swapped. What is in use stays until what is new has been
 * found good.
 */
export function watchSecretFiles(
  { secret, paths, clean = (content) => content, current, take }: SecretFiles,
  { logger, count, read = readSecret }: Dependencies,
): Reloader {
  let seen: Seen | undefined

  function tell(result: Outcome['result'] | 'unreadable', log: Outcome['log'] = {}) {
    count(secret, result)
    if (result === 'taken') logger.info({ secret, ...log }, 'a secret has changed and is in use')
    else logger.error({ secret, result, ...log }, 'a secret has changed and cannot be used: the old one stays')
  }

  return async (why) => {
    const contents = await Promise.all(paths.map(async (path) => clean(await read(path)))).catch(() => undefined)
    const inUse = current()
    if (contents && same(contents, inUse)) {
      seen = undefined
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

/** No secret is larger. */
const MAX_BYTES = 64 * 1024

/** @throws when there is nothing in it, or what is there is no secret */
async function readSecret(path: string): Promise<string> {
  // A pipe would hold us up until somebody writes.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = await file.stat()
    if (!stat.isFile() || stat.size > MAX_BYTES) throw new Error('not a small file')
    const content = (await file.readFile('utf8')).trim()
    if (content === '') throw new Error('empty')
    return content
  } finally {
    await file.close()
  }
}
