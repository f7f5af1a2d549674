import { z } from 'zod'
import type { RedisLink } from '../lib/redis-link.ts'

/** Spreads calls out to a rate. */
export type Rate = Readonly<{
  /**
   * Takes the next free place.
   * @returns milliseconds to wait for it; when they are over `mostMs`, nothing is taken
   */
  reserve(mostMs: number): Promise<number>
}>

/** How far ahead of the rate calls may run: an idle tenth of a second is not lost. */
export const BURST_MS = 100
/** The furthest ahead that anybody can have reserved: the longest deadline, the burst, and one call a second. */
const FURTHEST_MS = 8000 + BURST_MS + 1000

/**
 * The token bucket in the form of the generic cell rate algorithm, which knows one instant and no counter: when the
 * bucket will be full again. A place is reserved ahead of its time, so that those who wait are served in order, and
 * can be told how long it will take.
 */
export function createLocalRate(perSecond: number, monotonic: () => number): Rate {
  const intervalMs = 1000 / perSecond
  let fullAt = Number.NEGATIVE_INFINITY

  return {
    async reserve(mostMs) {
      const now = monotonic()
      const from = Math.max(fullAt, now)
      const waitMs = Math.max(0, from - BURST_MS - now)
      if (waitMs <= mostMs) fullAt = from + intervalMs
      return waitMs
    },
  }
}

/**
 * The same as the local one, for all replicas together and by Redis' clock. An instant that nobody can have reserved would
 * keep every caller out: it was written by somebody else, or before that clock was set back, and is forgotten. `not (…)`
 * also catches what is no number.
 */
const RESERVE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local interval, burst, most, furthest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local kept, from, odd = redis.pcall('GET', KEYS[1]), now, 0
if kept then
  local instant = type(kept) == 'string' and tonumber(kept) or 0 / 0
  if not (instant <= now + furthest) or redis.call('PTTL', KEYS[1]) < 0 then
    odd = 1
  else
    from = math.max(instant, now)
  end
end
local wait = math.max(0, from - burst - now)
if wait <= most then
  redis.call('SET', KEYS[1], string.format('%.3f', from + interval), 'PX', math.ceil(from + interval - now) + 1000)
end
return {math.ceil(wait), odd}
`

const answerSchema = z.tuple([z.number(), z.number()])

/** One rate for all replicas that share a Redis; each on its own at that rate while Redis does not answer. */
export function createSharedRate(perSecond: number, link: RedisLink, name: string, monotonic: () => number): Rate {
  const alone = createLocalRate(perSecond, monotonic)
  return {
    async reserve(mostMs) {
      const most = Math.max(0, Math.floor(mostMs))
      const limits = [1000 / perSecond, BURST_MS, most, FURTHEST_MS]
      const answer = await link.ask('write', (redis) => redis.eval(RESERVE, 1, name, ...limits))
      const [wait, odd] = answerSchema.safeParse(answer).data ?? []
      if (odd === 1) link.implausible('rate')
      return wait ?? alone.reserve(mostMs)
    },
  }
}
