import { z } from 'zod'
import type { RedisClient } from '../lib/redis.ts'
import type { Seal } from '../sessions/seal.ts'
import { MAX_AGE_MS, MAX_RECORDS, mergeRecords, type Records, readRecords, writeRecords } from './record.ts'

/** The list in Redis at one moment. */
export type Snapshot = Readonly<{
  records: Records
  /** Redis' clock. */
  redisNow: number
  /** Another one for another list. */
  version: string
  /** When the list was written, by Redis' clock; 0 for none under the key that seals. */
  writtenAt: number
  /** Whether there are bytes that no replica can have left so. */
  implausible: boolean
}>

/**
 * The list that replicas and the command line share: one sealed text, so that a reader of Redis learns nothing of it,
 * and a writer can neither add an entry nor change one. Everything here fails when Redis does not answer.
 */
export type SharedList = Readonly<{
  /** Costs Redis a few bytes. */
  version(): Promise<Pick<Snapshot, 'version' | 'redisNow'>>
  read(): Promise<Snapshot>
  /** Writes the list unless it was written since `base` was read. @throws {ListFullError} */
  write(records: Records, base: Pick<Snapshot, 'version' | 'redisNow'>): Promise<boolean>
}>

/** The list has no room for more. */
export class ListFullError extends Error {
  override readonly name = 'ListFullError'
}

const NAME = 'oss-vend denylist'
const MAX_BYTES = 1024 * 1024

// An entry of another type is read as one byte, which no seal is. The digest is of the whole list: a writer could change
// a part of it that nobody looks at, and hide it from the replicas that start later.
const LIST = `
local list = redis.pcall('GETRANGE', KEYS[1], 0, ${MAX_BYTES - 1})
if type(list) == 'table' then list = '?' end
local digest = redis.sha1hex(list)
`
const READ = `${LIST}
local time = redis.call('TIME')
return {digest, time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1] == 'whole' and list or ''}
`
const WRITE = `${LIST}
if digest ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`
const answerSchema = z.tuple([z.instanceof(Buffer).transform(String), z.int(), z.instanceof(Buffer)])

export function createSharedList(redis: RedisClient, seal: Pick<Seal, 'seal' | 'open' | 'names'>): SharedList {
  /** Where the list is: first by the key that seals, then by older ones, from which it is carried over. */
  const places = () => seal.names(NAME).map((name) => `oss-vend:{${name}}:deny`)

  async function ask(what: 'whole' | 'digest') {
    if (redis.status !== 'ready') throw new Error('Redis is not connected')
    const asked = places().map((place) => redis.callBuffer('eval', READ, 1, place, what))
    const found = z.array(answerSchema).parse(await Promise.all(asked))
    const [[, redisNow = 0] = []] = found
    return { version: found.map(([digest]) => digest).join(), redisNow, lists: found.map(([, , list]) => list) }
  }

  return {
    async version() {
      const { version, redisNow } = await ask('digest')
      return { version, redisNow }
    },
    async read() {
      const { version, redisNow, lists } = await ask('whole')
      const read = lists.map((list) => (list.length > 0 ? listIn(seal.open(NAME, list), redisNow) : 'none'))
      const good = read.filter((list) => list !== 'none' && list !== undefined)
      const [own] = read
      return {
        records: good.reduce<Records>((all, { records }) => mergeRecords(all, records), new Map()),
        redisNow,
        version,
        writtenAt: own === undefined || own === 'none' ? 0 : own.writtenAt,
        implausible: read.includes(undefined),
      }
    },
    async write(records, { version, redisNow }) {
      if (records.size > MAX_RECORDS) throw new ListFullError()
      const [place = ''] = places()
      const [own = ''] = version.split(',')
      const sealed = seal.seal(NAME, writeRecords(records, redisNow))
      if (sealed.length > MAX_BYTES) throw new ListFullError()
      if (redis.status !== 'ready') throw new Error('Redis is not connected')
      return (await redis.eval(WRITE, 1, place, own, sealed, MAX_AGE_MS)) === 1
    },
  }
}

/** An old list that somebody put back says who was denied then: it is refused, by Redis' clock. */
function listIn(text: string | undefined, redisNow: number) {
  const list = text === undefined ? undefined : readRecords(text)
  return list && redisNow - list.writtenAt <= MAX_AGE_MS ? list : undefined
}
