import { DAY } from './pattern.ts'

/** Events of one second. They can be fractions, because a second can be a share of a longer step. */
export type Second = Readonly<{
  /** Requests for vends, without retries. */
  asks: number
  /** Served from the cache. */
  hits: number
  /** Served after an STS call. */
  served: number
  /** Answered 503, retries included. */
  refused: number
  /** Requests whose every attempt was answered 503. */
  gaveUp: number
  /** Sessions needed from STS: for callers, for retries, and for refreshes ahead of time. */
  wanted: number
  /** AssumeRole calls made. */
  calls: number
  /** Waiting time of a caller who was served. */
  wait: number
}>

/** Statistics of the seconds of one day. */
export type Spread = Readonly<{ mean: number; p99: number; peak: number }>

/** Summary of one day. */
export type Day = Readonly<{
  asks: Spread
  wanted: Spread
  calls: Spread
  /** From 0 to 1, of all answers; 1 without requests. */
  hitRate: number
  /** Share of 503 in all answers, from 0 to 1. */
  refusedShare: number
  /** Share of requests, from 0 to 1. */
  gaveUpShare: number
  /** Waiting time for STS, of served callers without a cached session. */
  wait: Spread
  /** Most sessions that are alive at the same time, over all caches. */
  sessions: number
  /** Values of each second, from midnight. */
  seconds: Readonly<Record<keyof Second, Float64Array>>
}>

/** Records each second of the measured day, and the number of live sessions. */
export type Tally = Readonly<{ note(second: number, what: Second): void; sessions(count: number): void; day(): Day }>

const COLUMNS = ['asks', 'hits', 'served', 'refused', 'gaveUp', 'wanted', 'calls', 'wait'] as const

const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)

function spread(values: Float64Array): Spread {
  const sorted = values.slice().sort()
  const last = sorted.length - 1
  return { mean: sum(values) / values.length, p99: sorted[Math.floor(0.99 * last)] ?? 0, peak: sorted[last] ?? 0 }
}

/** Statistics of weighted values. */
function weighted(values: Float64Array, weights: Float64Array): Spread {
  const order = Array.from(weights.keys())
    .filter((at) => (weights[at] ?? 0) > 0)
    .sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0))
  const whole = sum(weights)
  let below = 0
  let total = 0
  let p99 = 0
  for (const at of order) {
    const [value, weight] = [values[at] ?? 0, weights[at] ?? 0]
    if (below < 0.99 * whole) p99 = value
    below += weight
    total += value * weight
  }
  return { mean: whole === 0 ? 0 : total / whole, p99, peak: values[order.at(-1) ?? -1] ?? 0 }
}

/** @param from the second at which the measured day starts; the time before it warms up the caches */
export function createTally(from: number): Tally {
  const column = () => new Float64Array(DAY)
  const columns = {
    asks: column(),
    hits: column(),
    served: column(),
    refused: column(),
    gaveUp: column(),
    wanted: column(),
    calls: column(),
    wait: column(),
  }
  let most = 0
  return {
    note(second, what) {
      const at = second - from
      if (at < 0 || at >= DAY) return
      for (const name of COLUMNS) columns[name][at] = what[name]
    },
    sessions(count) {
      most = Math.max(most, count)
    },
    day() {
      const [asks, hits, refused] = [sum(columns.asks), sum(columns.hits), sum(columns.refused)]
      const answers = hits + sum(columns.served) + refused
      return {
        asks: spread(columns.asks),
        wanted: spread(columns.wanted),
        calls: spread(columns.calls),
        hitRate: answers === 0 ? 1 : hits / answers,
        refusedShare: answers === 0 ? 0 : refused / answers,
        gaveUpShare: asks === 0 ? 0 : sum(columns.gaveUp) / asks,
        wait: weighted(columns.wait, columns.served),
        sessions: most,
        seconds: columns,
      }
    },
  }
}
