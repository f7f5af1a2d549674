import type { Finding } from './finding.ts'

/** A ratio for people: two decimals, or more if the ratio is very small. */
export function ratioText(ratio: number): string {
  if (ratio >= 100) return ratio.toLocaleString('en-GB', { maximumFractionDigits: 0 })
  return ratio >= 0.01 ? ratio.toFixed(2) : ratio.toLocaleString('en-GB', { maximumSignificantDigits: 2 })
}

const HEAD = ['what', 'ours', 'rival', '', 'ratio', 'floor', ''] as const
/** Columns of figures are right-aligned. */
const TO_THE_RIGHT: ReadonlySet<number> = new Set([1, 2, 4])

const cellsOf = ({ what, ours, rival, ratio, floor }: Finding): readonly string[] => [
  what,
  ours,
  rival.value,
  rival.name,
  ratioText(ratio),
  floor?.text ?? '',
  floor ? (floor.met ? 'met' : 'NOT MET') : '',
]

/** The findings as a table for a terminal. */
export function table(findings: readonly Finding[]): string {
  const rows = [HEAD, ...findings.map(cellsOf)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => (TO_THE_RIGHT.has(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}

/** The findings as a Markdown table, for docs/benchmarks.md. */
export function markdown(findings: readonly Finding[]): string {
  const rows = findings.map(
    ({ what, ours, rival, ratio, floor }) =>
      `| ${what} | ${ours} | ${rival.value}: ${rival.name} | ${ratioText(ratio)} | ${floor ? `${floor.text}${floor.met ? '' : ', not met'}` : '–'} |`,
  )
  return ['| what | ours | rival | ratio | floor |', '| --- | --: | --- | --: | --- |', ...rows].join('\n')
}
