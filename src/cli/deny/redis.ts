import { readRedisConfig } from '../../config/redis-config.ts'
import { type DenyRecord, pruned, type Records, recordKey } from '../../denylist/record.ts'
import { createSharedList, ListFullError, type SharedList, type Snapshot } from '../../denylist/shared-list.ts'
import type { Clock } from '../../lib/clock.ts'
import { createRoute } from '../../lib/outbound.ts'
import { connectRedis, readyWithin, redisFault } from '../../lib/redis.ts'
import { createSeal } from '../../sessions/seal.ts'
import { CommandError, type Io } from '../io.ts'

const CONNECT_MS = 5000
/** How often a change is tried again that met another one. */
const TRIES = 10

/**
 * Opens the shared list for one command; undefined without a REDIS_URL.
 * @throws {CommandError} when Redis does not answer
 * @throws {ConfigError}
 */
export async function withSharedList<T>(
  { env }: Io,
  clock: Pick<Clock, 'after'>,
  use: (list: SharedList) => Promise<T>,
): Promise<T | undefined> {
  const config = readRedisConfig(env)
  if (!config) return undefined
  const redis = await connectRedis(config.address, Math.random, createRoute(config.route))
  let why = ''
  redis.on('error', (error: unknown) => {
    why = wordFor(error)
  })
  try {
    await readyWithin(redis, CONNECT_MS, clock)
    if (redis.status !== 'ready') throw new CommandError(`Redis cannot be reached${why}: nothing was changed`, 1)
    return await use(createSharedList(redis, createSeal(config.encryptionKeys)))
  } catch (error) {
    if (error instanceof CommandError) throw error
    if (error instanceof ListFullError) throw new CommandError(FULL, 1)
    throw new CommandError(`Redis failed${wordFor(error)}: look at "oss-vend denied" before you try again`, 1)
  } finally {
    redis.disconnect()
  }
}

const FULL = 'The list in Redis is full: nothing was changed. Move lasting entries into the file of DENY_FILE'

function wordFor(error: unknown): string {
  const word = redisFault(error)
  return word === undefined ? '' : ` (${word})`
}

/** Says something about one name, by Redis' clock and after all that was said about it before. */
export async function say(
  list: SharedList,
  change: (found: Snapshot) => Omit<DenyRecord, 'at'> | undefined,
): Promise<DenyRecord | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const found = await list.read()
    const next = change(found)
    if (!next) return undefined
    const key = recordKey(next)
    const record = { ...next, at: Math.max(found.redisNow, (found.records.get(key)?.at ?? 0) + 1) }
    const records: Records = pruned(new Map(found.records).set(key, record), found.redisNow)
    if (await list.write(records, found)) return record
  }
  throw new CommandError('Others change the list all the time: nothing was changed. Try again', 1)
}
