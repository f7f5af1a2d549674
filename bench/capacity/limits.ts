import { figure } from './figure.ts'
import { cachesOf, quotaOf, type Scenario } from './scenario.ts'
import type { Day } from './tally.ts'

/** A day still fits with this share of 503 answers. */
export const TOLERATED = 0.001

/** How much of one resource a load needs. `used` is 1 when it needs all of it. */
export type Limit = Readonly<{
  name: 'STS quota' | 'replica CPU' | 'replica memory' | 'shared cache memory' | 'replica network'
  used: number
  /** The need and the supply, in words. */
  words: string
}>

/** The memory of one replica, and the binding limit. */
export type Limits = Readonly<{
  sessionsPerReplica: number
  bytesPerReplica: number
  /** Bytes in Redis; 0 without Redis. */
  sharedCacheBytes: number
  limits: readonly Limit[]
  /** Undefined while everything fits. */
  binding: Limit | undefined
}>

const MINUTE = 60

/** The mean of the busiest minute. The queue absorbs shorter peaks. */
export function busiestMinute(seconds: Float64Array): number {
  let most = 0
  for (let from = 0; from < seconds.length; from += MINUTE) {
    most = Math.max(most, seconds.subarray(from, from + MINUTE).reduce((sum, value) => sum + value, 0) / MINUTE)
  }
  return most
}

/**
 * Compares a day with each limit. CPU, memory and network are only computed: they slow nothing down in the simulation.
 */
export function limitsOf(scenario: Scenario, day: Day): Limits {
  const { replicas, sharedCache, costs, mode } = scenario
  const share = 1 / replicas
  // A replica has a copy of a session in Redis after one request for it arrived here. This is an upper estimate,
  // because requests are not spread evenly over sessions.
  const asksPerSession = day.calls.mean === 0 ? Number.POSITIVE_INFINITY : day.asks.mean / day.calls.mean
  const seen = 1 - (1 - share) ** asksPerSession
  const sessionsPerReplica = Math.ceil(day.sessions * (sharedCache ? seen : 1 / cachesOf(scenario)))
  const bytesPerReplica = sessionsPerReplica * costs.bytesPerSession
  const sharedCacheBytes = sharedCache ? Math.ceil(day.sessions) * costs.bytesPerSession : 0
  const asks = busiestMinute(day.seconds.asks) * share
  const wanted = busiestMinute(day.seconds.wanted)
  const cpu = costs.coresPerReplica * (mode === 'sessions' ? costs.vendsPerCore : costs.signaturesPerCore)
  const quota = quotaOf(scenario)
  const limit = (name: Limit['name'], taken: number, there: number, unit: string): Limit => ({
    name,
    used: taken / there,
    words: `${figure(taken)} of ${figure(there)} ${unit}`,
  })
  const limits = [
    limit('STS quota', wanted, quota, 'calls a second'),
    limit('replica CPU', asks, cpu, 'answers a second'),
    // A full replica reads from Redis again; without Redis it must call STS again.
    sharedCache
      ? limit('shared cache memory', sharedCacheBytes / 1e6, costs.bytesOfSharedCache / 1e6, 'MB')
      : limit('replica memory', bytesPerReplica / 1e6, costs.bytesPerReplica / 1e6, 'MB'),
    limit('replica network', (asks * costs.bytesPerAnswer) / 1e6, costs.networkBytesPerSecond / 1e6, 'MB a second'),
  ]
  const [sts] = limits
  const most = nearest(limits)
  const binding = day.refusedShare > TOLERATED ? sts : most.used > 1 ? most : undefined
  return { sessionsPerReplica, bytesPerReplica, sharedCacheBytes, limits, binding }
}

/** The limit with the highest use. */
export function nearest(limits: readonly Limit[]): Limit {
  return limits.reduce((most, one) => (one.used > most.used ? one : most))
}
