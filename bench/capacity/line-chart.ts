/** The range of an axis; logarithmic if a chart spans several powers of ten. */
export type Axis = Readonly<{
  label: string
  from: number
  to: number
  log?: boolean
  ticks: readonly Readonly<{ at: number; label: string }>[]
}>

/** A line. `marked` shows its points as dots; `dashed` marks a limit. */
export type Series = Readonly<{
  name: string
  points: readonly (readonly [x: number, y: number])[]
  marked?: boolean
  dashed?: boolean
}>

export type LineChart = Readonly<{ title: string; subtitle: string; x: Axis; y: Axis; series: readonly Series[] }>

const SIZE = { width: 800, height: 480 } as const
const PLOT = { left: 84, right: 764, top: 76, bottom: 352 } as const
const LEGEND = { top: 424, row: 22, columns: [84, 436] } as const

/** Okabe and Ito's colours, which colour-blind people can tell apart. Each is readable on white and on black. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#b5629b', '#8a7a1f', '#777777'] as const

/** The chart has its own background, so that it is readable on light and dark pages. */
const STYLE = `
text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #24292f }
.title { font-size: 17px; font-weight: 600 }
.quiet { fill: #57606a }
.paper { fill: #ffffff }
.grid { stroke: #d8dee4; stroke-width: 1 }
.axis { stroke: #57606a; stroke-width: 1 }
.line { fill: none; stroke-width: 2.25; stroke-linejoin: round }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .quiet { fill: #9198a1 }
  .paper { fill: #0d1117 }
  .grid { stroke: #2a313c }
  .axis { stroke: #9198a1 }
  .line { filter: brightness(1.35) }
}
`

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Rounds to tenths of a pixel: finer values differ from machine to machine. */
const tenth = (value: number) => String(Math.round(value * 10) / 10)

/** Maps a value to a place between `start` and `end`. A value outside the axis is drawn at its edge. */
function place({ from, to, log = false }: Axis, start: number, end: number): (value: number) => number {
  const scale = log ? Math.log10 : (value: number) => value
  return (value) => {
    const inside = Math.min(to, Math.max(from, value))
    return start + ((scale(inside) - scale(from)) / (scale(to) - scale(from))) * (end - start)
  }
}

const textAt = (x: number, y: number, text: string, more = '') =>
  `<text x="${tenth(x)}" y="${tenth(y)}"${more}>${escaped(text)}</text>`

const lineAt = (x1: number, y1: number, x2: number, y2: number, more: string) =>
  `<line x1="${tenth(x1)}" y1="${tenth(y1)}" x2="${tenth(x2)}" y2="${tenth(y2)}" ${more}/>`

/** An SVG with axes, labels and a legend in two columns below the plot. */
export function lineChart({ title, subtitle, x, y, series }: LineChart): string {
  const { left, right, top, bottom } = PLOT
  const xAt = place(x, left, right)
  const yAt = place(y, bottom, top)
  const drawn = series.map(({ points, marked = false, dashed = false }, at) => {
    const colour = COLOURS[at % COLOURS.length] ?? COLOURS[0]
    const path = points.map(([px, py]) => `${tenth(xAt(px))},${tenth(yAt(py))}`)
    const dash = dashed ? ' stroke-dasharray="7 5"' : ''
    const dots = marked
      ? points.map(([px, py]) => `<circle cx="${tenth(xAt(px))}" cy="${tenth(yAt(py))}" r="4" fill="${colour}"/>`)
      : []
    return { dots, dash, colour, line: `<polyline class="line" stroke="${colour}"${dash} points="${path.join(' ')}"/>` }
  })
  const legend = series.flatMap(({ name }, at) => {
    const column = LEGEND.columns[at % LEGEND.columns.length] ?? left
    const row = LEGEND.top + Math.floor(at / LEGEND.columns.length) * LEGEND.row
    const { colour, dash } = drawn[at] ?? { colour: COLOURS[0], dash: '' }
    return [
      lineAt(column, row - 4, column + 28, row - 4, `class="line" stroke="${colour}"${dash}`),
      textAt(column + 36, row, name),
    ]
  })
  const middle = (top + bottom) / 2
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${SIZE.width}" height="${SIZE.height}" rx="6"/>`,
    textAt(left, 32, title, ' class="title"'),
    textAt(left, 54, subtitle, ' class="quiet"'),
    ...y.ticks.flatMap(({ at, label }) => [
      lineAt(left, yAt(at), right, yAt(at), 'class="grid"'),
      textAt(left - 10, yAt(at) + 4, label, ' text-anchor="end"'),
    ]),
    ...x.ticks.flatMap(({ at, label }) => [
      lineAt(xAt(at), bottom, xAt(at), bottom + 5, 'class="axis"'),
      textAt(xAt(at), bottom + 22, label, ' text-anchor="middle"'),
    ]),
    lineAt(left, bottom, right, bottom, 'class="axis"'),
    textAt((left + right) / 2, bottom + 46, x.label, ' class="quiet" text-anchor="middle"'),
    textAt(20, middle, y.label, ` class="quiet" text-anchor="middle" transform="rotate(-90 20 ${middle})"`),
    ...drawn.flatMap(({ line, dots }) => [line, ...dots]),
    ...legend,
    '</svg>',
  ].join('\n')}\n`
}
