import { BURST_MS, createLocalRate, type Rate } from './rate.ts'
import type { RedisLink } from './redis-link.ts'

/**
 * The same as the local one, for all replicas together and by Redis' clock. An instant that lies further ahead than
 * anybody can have reserved was written before that clock was set back, and is forgotten.
 */
const RESERVE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local from = tonumber(redis.call('GET', KEYS[1]) or now)
local interval, burst, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if from < now or from > now + 60000 then from = now end
local wait = math.max(0, from - burst - now)
if wait <= most then
  redis.call('SET', KEYS[1], string.format('%.3f', from + interval), 'PX', math.ceil(from + interval - now) + 1000)
end
return math.ceil(wait)
`

/** One rate for all replicas that share a Redis; each on its own at that rate while Redis is not there. */
export function createSharedRate(perSecond: number, link: RedisLink, name: string, monotonic: () => number): Rate {
  const alone = createLocalRate(perSecond, monotonic)
  return {
    async reserve(mostMs) {
      const most = Math.max(0, Math.floor(mostMs))
      const wait = await link.ask('write', (redis) => redis.eval(RESERVE, 1, name, 1000 / perSecond, BURST_MS, most))
      return typeof wait === 'number' ? wait : alone.reserve(mostMs)
    },
  }
}
