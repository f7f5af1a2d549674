/** The patterns of `${date:…}`. A month or a day without its year would open the same folder again next year. */
export const DATE_PATTERNS = ['yyyy/MM/dd', 'yyyy/MM', 'yyyy', 'yyyy-MM-dd', 'yyyy-MM'] as const

/** The pieces of the patterns, between slashes. */
export type DateUnit = 'yyyy' | 'MM' | 'dd' | 'yyyy-MM-dd' | 'yyyy-MM'

const PIECES: Readonly<Record<(typeof DATE_PATTERNS)[number], readonly DateUnit[]>> = {
  'yyyy/MM/dd': ['yyyy', 'MM', 'dd'],
  'yyyy/MM': ['yyyy', 'MM'],
  yyyy: ['yyyy'],
  'yyyy-MM-dd': ['yyyy-MM-dd'],
  'yyyy-MM': ['yyyy-MM'],
}

/** The pieces of a pattern; undefined for an unknown one. */
export function dateUnits(pattern: string): readonly DateUnit[] | undefined {
  const known = DATE_PATTERNS.find((one) => one === pattern)
  return known && PIECES[known]
}

/** A piece of the date in UTC. @param at epoch milliseconds */
export function dateText(unit: DateUnit, at: number): string {
  const day = new Date(at).toISOString().slice(0, 10)
  if (unit === 'MM') return day.slice(5, 7)
  return unit === 'dd' ? day.slice(8) : day.slice(0, unit.length)
}
