/**
 * What a ratio, or a count, must be; `ratio` is what that comes to as a ratio, for the chart. `always`: also where a run
 * is short, because it does not depend on the machine.
 */
export type Floor = Readonly<{ text: string; met: boolean; ratio: number; always?: boolean }>

/** One line of the table: ours and the rival's in the same run. */
export type Finding = Readonly<{
  what: string
  ours: string
  rival: Readonly<{ name: string; value: string }>
  /** Ours divided by the rival's. */
  ratio: number
  /** Which way ours is to be. */
  better: 'more' | 'less'
  floor?: Floor
}>

/** How much a benchmark does: `small` shows that it runs, and its ratios show nothing. */
export type Scale = 'full' | 'small'

/** One of the benchmarks. */
export type Benchmark = Readonly<{ name: string; summary: string; run(scale: Scale): Promise<readonly Finding[]> }>

/** A floor under a ratio. */
export const atLeast = (ratio: number, least: number): Floor => ({
  text: `≥ ${least.toFixed(2)}`,
  met: ratio >= least,
  ratio: least,
})

/** A ceiling over a ratio. */
export const atMost = (ratio: number, most: number): Floor => ({
  text: `≤ ${most.toFixed(2)}`,
  met: ratio <= most,
  ratio: most,
})

/** A count that must be just that. */
export const exactly = (count: number, wanted: number): Floor => ({
  text: `= ${wanted}`,
  met: count === wanted,
  ratio: wanted,
  always: true,
})

/** As it is told of a small run: without the floors that such a run cannot show to be met. */
export function withoutWeakFloors({ floor, ...finding }: Finding): Finding {
  return floor?.always ? { ...finding, floor } : finding
}
