/** One chart: its title, the unit in Grafana's words, and queries with their legends. */
export type Panel = Readonly<{
  title: string
  unit: 'reqps' | 'percentunit' | 's' | 'bytes' | 'short' | 'd'
  queries: readonly (readonly [expr: string, legend: string])[]
  /** An explanation, shown behind the (i). */
  about?: string
  /** A single number in place of a curve. */
  stat?: true
}>

export type Row = Readonly<{ title: string; panels: readonly Panel[] }>

/** The series of the replicas that the reader has chosen. */
export const of = (metric: string, ...labels: string[]): string =>
  `${metric}{${['job="oss-vend"', 'instance=~"$instance"', ...labels].join(',')}}`

/** How many a second of them, summed up by some labels. */
export const perSecond = (by: string, metric: string, ...labels: string[]): string =>
  `sum by (${by}) (rate(${of(metric, ...labels)}[$__rate_interval]))`

/** A quantile of a histogram, by some labels. */
export const quantile = (q: number, by: string, metric: string, ...labels: string[]): string =>
  `histogram_quantile(${q}, ${perSecond(`${by ? `${by}, ` : ''}le`, `${metric}_bucket`, ...labels)})`
