import type { RedisLink } from '../lib/redis-link.ts'
import type { Count, Windows } from './windows.ts'

/** Counts one more, or several, for all replicas where they share a Redis. Never fails. */
export type Counter = (key: string, times?: number) => Promise<Count>

/**
 * The most that is believed of one window. Over its limit, each replica counts a key in memory, so a count in Redis is
 * over it only by the requests that the replicas had in work.
 */
const believable = (max: number) => 2 * max + 1000

/**
 * A count that no replica can have left so would lock its caller out: no number, absurdly high, or of a window that never
 * ends or is longer than ours. It is counted anew.
 */
const HIT = `
local current = redis.pcall('INCRBY', KEYS[1], ARGV[3])
local ttl, odd = redis.call('PTTL', KEYS[1]), 0
local times = tonumber(ARGV[3])
if type(current) ~= 'number' or current < times or current > tonumber(ARGV[2]) then odd = 1
elseif current > times and (ttl < 0 or ttl > tonumber(ARGV[1])) then odd = 1 end
if odd == 1 or current == times then
  redis.call('SET', KEYS[1], times, 'PX', ARGV[1])
  current, ttl = times, tonumber(ARGV[1])
end
return {current, ttl, odd}`

/** Counts in Redis, for all counters. */
export type SharedCounts = Readonly<{
  /** Undefined when Redis did not answer, or not with a count. */
  hit(key: string, window: Readonly<{ windowMs: number; max: number; times: number }>): Promise<Count | undefined>
}>

type SharedDependencies = Readonly<{
  link: RedisLink
  /** The name of a key in Redis. A key may hold a caller or an address; its name must not reveal it. */
  nameOf: (key: string) => string
  /** Told once each time that this replica begins to count alone. */
  onFailure: () => void
}>

/** Counts in Redis, or Valkey, alone or as a cluster: each count is one key. */
export function createSharedCounts({ link, nameOf, onFailure }: SharedDependencies): SharedCounts {
  let alone = false
  return {
    async hit(key, { windowMs, max, times }) {
      const answer = await link.ask('write', (redis) =>
        redis.eval(HIT, 1, nameOf(key), windowMs, believable(max), times),
      )
      const count = countOf(answer)
      if (count && Array.isArray(answer) && answer[2] === 1) link.implausible('count')
      if (!count && !alone) onFailure()
      alone = !count
      return count
    },
  }
}

/** Redis is not ours alone: whatever is not two sensible numbers counts as no answer. */
function countOf(answer: unknown): Count | undefined {
  if (!Array.isArray(answer)) return undefined
  const [current, ttl]: unknown[] = answer
  const usable = Number.isSafeInteger(current) && Number.isSafeInteger(ttl)
  return usable && typeof current === 'number' && typeof ttl === 'number' && current > 0 && ttl > 0
    ? { current, ttl }
    : undefined
}

type CounterOptions = Readonly<{
  /** Comes before the key in Redis. */
  prefix: string
  max: number
  windowMs: number
  windows: Windows
  shared: SharedCounts | undefined
}>

/**
 * Counts in Redis when it answers, and remembers here what it said, so that a replica that loses it goes on from there.
 * A key that is known to be over its limit is counted here alone: a flood must not become one of Redis.
 */
export function createCounter({ prefix, max, windowMs, windows, shared }: CounterOptions): Counter {
  return async (key, times = 1) => {
    const known = windows.peek(key)
    if (!shared || (known && known.current > max)) return windows.hit(key, times)
    const count = await shared.hit(`${prefix}${key}`, { windowMs, max, times })
    if (!count) return windows.hit(key, times)
    windows.adopt(key, count)
    return count
  }
}
