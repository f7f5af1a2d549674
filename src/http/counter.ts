import type { Cluster, Redis } from 'ioredis'
import type { CountImplausible } from '../observe/redis-implausible.ts'
import type { Count, Windows } from './windows.ts'

/** Counts one more, for all replicas where they share a Redis. Never fails. */
export type Counter = (key: string) => Promise<Count>

/** Two counts stand between a request and its answer, and both together may cost it no more than 50 ms. */
const REDIS_TIMEOUT_MS = 25
/** How long Redis is left alone once it did not answer; then one request tries it again. */
const REDIS_PAUSE_MS = 1000

/** The most that is believed of one window: over its limit a key is counted in memory. */
const MAX_COUNT = 10_000_000

/**
 * A count that no replica can have left so would lock its caller out: no number, absurdly high, or of a window that never
 * ends or is longer than ours. It is counted anew.
 */
const HIT = `
local current = redis.pcall('INCR', KEYS[1])
local ttl, odd = redis.call('PTTL', KEYS[1]), 0
if type(current) ~= 'number' or current < 1 or current > tonumber(ARGV[2]) then odd = 1
elseif current > 1 and (ttl < 0 or ttl > tonumber(ARGV[1])) then odd = 1 end
if odd == 1 or current == 1 then
  redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])
  current, ttl = 1, tonumber(ARGV[1])
end
return {current, ttl, odd}`

/** Tells Redis to count; shared by all counters, because they share its health. */
export type SharedCounts = Readonly<{
  /** Undefined when Redis did not answer in time, or is not asked because it lately did not. */
  hit(key: string, windowMs: number): Promise<Count | undefined>
}>

type SharedDependencies = Readonly<{
  redis: Redis | Cluster
  now: () => number
  /** What a key is called in Redis: it may hold a caller or an address, and must not tell it. */
  nameOf: (key: string) => string
  implausible: CountImplausible
  /** Told once each time that Redis stops answering. */
  onFailure: () => void
}>

/** Counts in Redis, or Valkey, alone or as a cluster: each count is one key. */
export function createSharedCounts(dependencies: SharedDependencies): SharedCounts {
  const { redis, now, nameOf, implausible, onFailure } = dependencies
  let pausedUntil = 0
  let failing = false
  let trying = false

  function pause() {
    pausedUntil = now() + REDIS_PAUSE_MS
    if (!failing) onFailure()
    failing = true
  }

  return {
    async hit(key, windowMs) {
      // A clock that was set back must not lengthen the pause.
      const paused = pausedUntil > now() && pausedUntil - now() <= REDIS_PAUSE_MS
      // While it is failing one request at a time may find out, or all of them would wait.
      if (paused || (failing && trying)) return undefined
      // What is sent to a connection that is not there is kept by ioredis until it is, without a bound.
      if (redis.status !== 'ready') {
        pause()
        return undefined
      }
      trying = true
      try {
        const answer = await within(redis.eval(HIT, 1, nameOf(key), windowMs, MAX_COUNT), REDIS_TIMEOUT_MS)
        const count = countOf(answer)
        if (count && Array.isArray(answer) && answer[2] === 1) implausible('count')
        if (count) failing = false
        else pause()
        return count
      } finally {
        trying = false
      }
    },
  }
}

/** What the promise brings; undefined when it fails or takes longer. */
async function within(promise: Promise<unknown>, milliseconds: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined)
  })
  try {
    return await Promise.race([promise.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
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
 * Counts in Redis when it is there, and remembers here what it said, so that a replica that loses it goes on from
 * there. Who is known to be over the limit is counted here alone: a flood must not become one of Redis.
 */
export function createCounter({ prefix, max, windowMs, windows, shared }: CounterOptions): Counter {
  return async (key) => {
    const known = windows.peek(key)
    if (!shared || (known && known.current > max)) return windows.hit(key)
    const count = await shared.hit(`${prefix}${key}`, windowMs)
    if (!count) return windows.hit(key)
    windows.adopt(key, count)
    return count
  }
}
