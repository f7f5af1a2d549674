import { z } from 'zod'
import type { RedisClient } from '../lib/redis.ts'
import type { Seal } from '../sessions/seal.ts'
import { MAX_AGE_MS, MAX_RECORDS, mergeRecords, type Records, readRecords, writeRecords } from './record.ts'

/** The list in Redis at one moment. */
export type Snapshot = Readonly<{
  records: Records
  /** Redis' clock. */
  redisNow: number
  /** Another one for each time that the list is written. */
  version: string
  /** The oldest part was written then, by Redis' clock; 0 for no list. */
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
/** Its version is in the seal's header, whose nonce is another one each time. */
const VERSION_BYTES = 64

// An entry of another type is read as one byte, which no seal is.
const READ = `
local list = redis.pcall('GETRANGE', KEYS[1], 0, ARGV[1])
if type(list) == 'table' then list = '?' end
local time = redis.call('TIME')
return {list, time[1] * 1000 + math.floor(time[2] / 1000)}
`
const WRITE = `
local list = redis.pcall('GETRANGE', KEYS[1], 0, ${VERSION_BYTES - 1})
if type(list) == 'table' then list = '?' end
if list ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`
const answerSchema = z.tuple([z.instanceof(Buffer), z.int()])

export function createSharedList(redis: RedisClient, seal: Pick<Seal, 'seal' | 'open' | 'names'>): SharedList {
  /** Where the list is: first by the key that seals, then by older ones, from which it is carried over. */
  const places = () => seal.names(NAME).map((name) => `oss-vend:{${name}}:deny`)

  async function ask(place: string, bytes: number): Promise<Readonly<{ list: Buffer; redisNow: number }>> {
    if (redis.status !== 'ready') throw new Error('Redis is not connected')
    const [list, redisNow] = answerSchema.parse(await redis.callBuffer('eval', READ, 1, place, bytes - 1))
    return { list, redisNow }
  }

  const versionOf = (lists: readonly Buffer[]) =>
    lists.map((list) => list.subarray(0, VERSION_BYTES).toString('base64')).join()

  return {
    async version() {
      const found = await Promise.all(places().map((place) => ask(place, VERSION_BYTES)))
      return { version: versionOf(found.map(({ list }) => list)), redisNow: found[0]?.redisNow ?? 0 }
    },
    async read() {
      const found = await Promise.all(places().map((place) => ask(place, MAX_BYTES)))
      const redisNow = found[0]?.redisNow ?? 0
      const lists = found.filter(({ list }) => list.length > 0).map(({ list }) => read(seal.open(NAME, list), redisNow))
      const own = found[0]?.list.length === 0 ? undefined : lists[0]
      return {
        records: lists.reduce<Records>((all, list) => mergeRecords(all, list?.records ?? new Map()), new Map()),
        redisNow,
        version: versionOf(found.map(({ list }) => list)),
        writtenAt: own?.writtenAt ?? 0,
        implausible: lists.includes(undefined),
      }
    },
    async write(records, { version, redisNow }) {
      if (records.size > MAX_RECORDS) throw new ListFullError()
      const [place = ''] = places()
      const [own = ''] = version.split(',')
      const sealed = seal.seal(NAME, writeRecords(records, redisNow))
      if (sealed.length > MAX_BYTES) throw new ListFullError()
      if (redis.status !== 'ready') throw new Error('Redis is not connected')
      return (await redis.eval(WRITE, 1, place, Buffer.from(own, 'base64'), sealed, MAX_AGE_MS)) === 1
    },
  }
}

/** An old list that somebody put back says who was denied then: it is refused, by Redis' clock. */
function read(text: string | undefined, redisNow: number) {
  const list = text === undefined ? undefined : readRecords(text)
  return list && redisNow - list.writtenAt <= MAX_AGE_MS ? list : undefined
}
