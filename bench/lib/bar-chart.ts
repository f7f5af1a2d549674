import type { Finding } from './finding.ts'
import { ratioText } from './table.ts'

const WIDTH = 1000
const PLOT = { left: 480, right: 900, top: 104 } as const
const ROW = 44
const BAR = 16
/** Space on the axis beyond the ratios, for the labels. */
const DECADES = { least: -2, most: 2 } as const

/**
 * Colours for ratios that are better than the rival's, and for those that are not. Both are readable on white and
 * black.
 */
const STYLE = `
text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #24292f }
.title { font-size: 17px; font-weight: 600 }
.quiet { fill: #57606a; font-size: 12px }
.paper { fill: #ffffff }
.grid { stroke: #d8dee4; stroke-width: 1 }
.even { stroke: #57606a; stroke-width: 1.5 }
.bar { fill: #0072b2 }
.floor { stroke: #d55e00; stroke-width: 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .quiet { fill: #9198a1 }
  .paper { fill: #0d1117 }
  .grid { stroke: #2a313c }
  .even { stroke: #9198a1 }
  .bar { fill: #4ba3d9 }
  .floor { stroke: #ff8a3d }
}
`

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const tenth = (value: number) => String(Math.round(value * 10) / 10)

const textAt = (x: number, y: number, text: string, more = '') =>
  `<text x="${tenth(x)}" y="${tenth(y)}"${more}>${escaped(text)}</text>`

const lineAt = (x: number, y1: number, y2: number, kind: string) =>
  `<line x1="${tenth(x)}" y1="${tenth(y1)}" x2="${tenth(x)}" y2="${tenth(y2)}" class="${kind}"/>`

/**
 * Draws how many times better than the rival each finding is: bars from 1 ("equal") to the right, or to the left if it
 * is worse, on a logarithmic axis. A mark shows the floor. If less is better, the ratio is inverted.
 */
export function barChart(title: string, subtitle: string, findings: readonly Finding[]): string {
  const better = ({ ratio, better }: Finding) => Math.log10(better === 'more' ? ratio : 1 / ratio)
  const decades = findings.map(better)
  const from = Math.min(-1, Math.floor(Math.max(DECADES.least, Math.min(...decades))))
  const to = Math.max(1, Math.ceil(Math.max(...decades)))
  const at = (decade: number) =>
    PLOT.left + ((Math.min(to, Math.max(from, decade)) - from) / (to - from)) * (PLOT.right - PLOT.left)
  const bottom = PLOT.top + findings.length * ROW
  const ticks = Array.from({ length: to - from + 1 }, (_, index) => from + index)
  const rows = findings.flatMap((finding, index) => {
    const middle = PLOT.top + (index + 0.5) * ROW
    const end = at(better(finding))
    const [left, right] = [Math.min(at(0), end), Math.max(at(0), end)]
    const asked = finding.floor?.ratio
    return [
      textAt(PLOT.left - 12, middle - 3, finding.what, ' text-anchor="end"'),
      textAt(
        PLOT.left - 12,
        middle + 13,
        `${finding.ours}, rival ${finding.rival.value}`,
        ' class="quiet" text-anchor="end"',
      ),
      `<rect x="${tenth(left)}" y="${tenth(middle - BAR / 2)}" width="${tenth(Math.max(2, right - left))}" height="${BAR}" rx="2" class="bar"/>`,
      ...(asked === undefined
        ? []
        : [lineAt(at(better({ ...finding, ratio: asked })), middle - ROW / 2 + 6, middle + ROW / 2 - 6, 'floor')]),
      textAt(PLOT.right + 12, middle + 5, ratioText(finding.ratio)),
    ]
  })
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 60}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${bottom + 60}" rx="6"/>`,
    textAt(24, 32, title, ' class="title"'),
    textAt(24, 54, subtitle, ' class="quiet"'),
    textAt(PLOT.right + 12, PLOT.top - 32, 'ratio', ' class="quiet"'),
    ...ticks.flatMap((decade) => [
      lineAt(at(decade), PLOT.top, bottom, decade === 0 ? 'even' : 'grid'),
      textAt(at(decade), PLOT.top - 12, decadeText(decade), ' class="quiet" text-anchor="middle"'),
    ]),
    ...rows,
    textAt(
      PLOT.left,
      bottom + 32,
      'bars to the right: better than the rival; marks: what is asked for',
      ' class="quiet"',
    ),
    '</svg>',
  ].join('\n')}\n`
}

function decadeText(decade: number): string {
  const times = 10 ** Math.abs(decade)
  if (decade === 0) return 'as good'
  return `${times.toLocaleString('en-GB')} × ${decade > 0 ? 'better' : 'worse'}`
}
