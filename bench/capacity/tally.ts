import { DAY } from './pattern.ts'

/** What happened in one second; fractions where a second is a share of a longer step. */
export type Second = Readonly<{
  /** Vends asked for, tries after a refusal left out. */
  asks: number
  /** Answered out of the cache. */
  hits: number
  /** Answered once STS had. */
  served: number
  /** 503 answers, to tries after a refusal too. */
  refused: number
  /** Asks that ended without an answer but 503. */
  gaveUp: number
  /** Sessions wanted of STS: for callers who wait, who try again, and ahead of time. */
  wanted: number
  /** AssumeRole calls made. */
  calls: number
  /** What one who was served waited for his turn. */
  wait: number
}>

/** Of one day's seconds. */
export type Spread = Readonly<{ mean: number; p99: number; peak: number }>

/** One day, summed up. */
export type Day = Readonly<{
  asks: Spread
  wanted: Spread
  calls: Spread
  /** 0 to 1: of the answers; 1 when nobody asked. */
  hitRate: number
  /** 0 to 1: of the answers, the 503s. */
  refusedShare: number
  /** 0 to 1: of the asks. */
  gaveUpShare: number
  /** Waiting for a turn at STS, of those who had to ask it and were served. */
  wait: Spread
  /** Most sessions alive at once, over all caches. */
  sessions: number
  /** Second by second, from midnight. */
  seconds: Readonly<Record<keyof Second, Float64Array>>
}>

/** Notes every second of the day that is measured, and how many sessions live. */
export type Tally = Readonly<{ note(second: number, what: Second): void; sessions(count: number): void; day(): Day }>

const COLUMNS = ['asks', 'hits', 'served', 'refused', 'gaveUp', 'wanted', 'calls', 'wait'] as const

const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)

function spread(values: Float64Array): Spread {
  const sorted = values.slice().sort()
  const last = sorted.length - 1
  return { mean: sum(values) / values.length, p99: sorted[Math.floor(0.99 * last)] ?? 0, peak: sorted[last] ?? 0 }
}

/** Of values that count as much as their weights say. */
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

/** @param from the second at which the measured day starts; what was before warms the caches up */
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
