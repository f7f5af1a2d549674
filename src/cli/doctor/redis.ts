import { once } from 'node:events'
import type { Clock } from '../../lib/clock.ts'
import type { Route } from '../../lib/outbound.ts'
import { connectRedis, type RedisAddress, type RedisClient } from '../../lib/redis.ts'
import { failed, type Line, type Outcome, passed } from './check.ts'
import { connectionWords } from './connection.ts'

type Options = Readonly<{ route: Route; clock: Pick<Clock, 'after'>; random: () => number; id: string }>

const LIMIT_MS = 5000
/** Writes a key that lasts a second, by a script, as the service writes its own. */
const WRITE = "return redis.call('SET', KEYS[1], '1', 'PX', '1000')"

/** Whether Redis is there, takes the password, and lets the service write. */
export async function checkRedis(address: RedisAddress, options: Options): Promise<Outcome<true>> {
  const where = address.nodes.map(({ host, port }) => `${host}:${port}`).join(', ')
  const redis = await connectRedis(address, options.random, options.route)
  try {
    await within(ready(redis), options.clock)
    await within(redis.eval(WRITE, 1, `oss-vend:doctor:${options.id}`), options.clock)
    const how = address.tls ? 'by TLS' : 'in plain text'
    const password = address.password === undefined ? 'asks for no password' : 'takes the password'
    return { lines: [passed(`${where} answers ${how}, ${password}, and can be written`)], value: true }
  } catch (error) {
    return { lines: [faultOf(error, where)] }
  } finally {
    redis.disconnect()
  }
}

/** Rejects with the first error: the client itself would try again for ever. */
async function ready(redis: RedisClient): Promise<void> {
  if (redis.status !== 'ready') await once(redis, 'ready')
}

class LateError extends Error {
  override readonly name = 'LateError'
}

function within(work: Promise<unknown>, clock: Pick<Clock, 'after'>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(LIMIT_MS, () => reject(new LateError()))
    work.finally(cancel).then(() => resolve(), reject)
  })
}

const SETTING = ['REDIS_URL']
const LATE =
  'check host, port and firewall, whether Redis is busy, and whether it speaks TLS if the address is rediss://'
const PASSWORD = 'set user and password as Redis has them, with special characters percent-encoded'

/** Redis's own words for a refusal. Only their beginning is read: the rest may quote a command. */
const REPLIES: readonly (readonly [begins: RegExp, what: string, remedy: string])[] = [
  [/^WRONGPASS|^ERR invalid password/u, 'refuses the password or the user', PASSWORD],
  [/^NOAUTH/u, 'asks for a password, and there is none', PASSWORD],
  [
    /^NOPERM/u,
    'does not let this user run the scripts of the service',
    'allow +@all on the keys oss-vend:* to the user',
  ],
  [
    /^READONLY/u,
    'is a replica, which cannot be written',
    'name the primary, or use redis+sentinel:// or redis+cluster://',
  ],
  [/^OOM/u, 'is full', 'raise maxmemory, or let it drop keys (maxmemory-policy volatile-lru)'],
  [/^ERR DB index/u, 'has no database of this number', 'correct the number at the end of the address'],
  // ioredis' own words.
  [/^Socket timeout|^connect ETIMEDOUT/u, 'did not answer in time', LATE],
  [/^LOADING/u, 'is still loading its data', 'run the doctor again in a minute'],
  [/^(?:CLUSTERDOWN|MASTERDOWN)/u, 'is down', 'look at the state of its nodes'],
]

function faultOf(error: unknown, where: string): Line {
  if (error instanceof LateError) {
    return failed(`${where} did not answer in time`, LATE, SETTING)
  }
  for (const fault of causesOf(error)) {
    const reply = REPLIES.find(([begins]) => begins.test(fault.message))
    if (reply) return failed(`${where} ${reply[1]}`, reply[2], SETTING)
  }
  const code = causesOf(error).flatMap((fault) => ('code' in fault ? [String(fault.code)] : []))[0] ?? ''
  const known = /^[A-Z][A-Z0-9_]{2,63}$/u.test(code) ? code : 'unknown'
  const { why, remedy, settings } = connectionWords(known)
  return failed(`cannot reach ${where}: ${why} (${known})`, remedy, settings ?? SETTING)
}

/** A cluster wraps the error of its last node. */
function causesOf(error: unknown): Error[] {
  if (!(error instanceof Error)) return []
  const last: unknown = 'lastNodeError' in error ? error.lastNodeError : error.cause
  return [error, ...causesOf(last)]
}
