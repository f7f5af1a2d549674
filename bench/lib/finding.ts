/**
 * A bound for a ratio or a count. `ratio` is the bound as a ratio, for the chart. `always` marks a bound that holds for
 * short runs too, because it does not depend on the machine.
 */
export type Floor = Readonly<{ text: string; met: boolean; ratio: number; always?: boolean }>

/** One row of the table: the service and the rival in the same run. */
export type Finding = Readonly<{
  what: string
  ours: string
  rival: Readonly<{ name: string; value: string }>
  /** The service's value divided by the rival's. */
  ratio: number
  /** Which direction is better for the service. */
  better: 'more' | 'less'
  floor?: Floor
}>

/** `small` only shows that the benchmark works; its ratios mean nothing. */
export type Scale = 'full' | 'small'

/** A benchmark of the command. */
export type Benchmark = Readonly<{ name: string; summary: string; run(scale: Scale): Promise<readonly Finding[]> }>

/** A lower bound for a ratio. */
export const atLeast = (ratio: number, least: number): Floor => ({
  text: `≥ ${least.toFixed(2)}`,
  met: ratio >= least,
  ratio: least,
})

/** An upper bound for a ratio. */
export const atMost = (ratio: number, most: number): Floor => ({
  text: `≤ ${most.toFixed(2)}`,
  met: ratio <= most,
  ratio: most,
})

/** A count that must be exact. */
export const exactly = (count: number, wanted: number): Floor => ({
  text: `= ${wanted}`,
  met: count === wanted,
  ratio: wanted,
  always: true,
})

/** A finding of a small run, without the bounds that depend on the machine. */
export function withoutWeakFloors({ floor, ...finding }: Finding): Finding {
  return floor?.always ? { ...finding, floor } : finding
}
