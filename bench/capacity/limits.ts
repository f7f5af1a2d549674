import { figure } from './figure.ts'
import { cachesOf, quotaOf, type Scenario } from './scenario.ts'
import type { Day } from './tally.ts'

/** So many 503s among the answers are let pass: 1 in 1,000. */
export const TOLERATED = 0.001

/** What a load takes of something that there is only so much of. `used` is 1 when all of it is taken. */
export type Limit = Readonly<{
  name: 'STS quota' | 'replica CPU' | 'replica memory' | 'shared cache memory' | 'replica network'
  used: number
  /** What is taken at the most and what there is, in words. */
  words: string
}>

/** What one replica holds, and what binds. */
export type Limits = Readonly<{
  sessionsPerReplica: number
  bytesPerReplica: number
  /** Bytes in Redis; 0 without it. */
  sharedCacheBytes: number
  limits: readonly Limit[]
  /** Undefined while all fits. */
  binding: Limit | undefined
}>

const MINUTE = 60

/** The mean of the highest minute: what lasts a second only, the queue takes up. */
export function busiestMinute(seconds: Float64Array): number {
  let most = 0
  for (let from = 0; from < seconds.length; from += MINUTE) {
    most = Math.max(most, seconds.subarray(from, from + MINUTE).reduce((sum, value) => sum + value, 0) / MINUTE)
  }
  return most
}

/** How near a day came to each limit. CPU, memory and network are told, not simulated: nothing slows down there. */
export function limitsOf(scenario: Scenario, day: Day): Limits {
  const { replicas, sharedCache, costs, mode } = scenario
  const share = 1 / replicas
  // Of a session in Redis, a replica has a copy once one of the asks for it came along: an upper estimate, since the
  // asks for a session are not all alike.
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
    // With Redis behind it a replica that is full forgets and looks there again; without, it must ask STS again.
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

/** The limit of which most is taken. */
export function nearest(limits: readonly Limit[]): Limit {
  return limits.reduce((most, one) => (one.used > most.used ? one : most))
}
