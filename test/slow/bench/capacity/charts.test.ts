import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import t from 'tap'
import { lineChart } from '../../../../bench/capacity/line-chart.ts'
import { run } from '../../../helpers/run-capacity.ts'

// Simulations need much processor time, and shared machines are slow.
t.setTimeout(180_000)

t.test('the charts in docs are what the command draws', async (t) => {
  const folder = t.testdir()
  t.equal(run('--charts', folder).code, 0)
  const files = readdirSync(folder).sort()
  t.strictSame(files, ['capacity-calls.svg', 'capacity-push.svg', 'capacity-users.svg'])
  const page = readFileSync('docs/capacity.md', 'utf8')
  for (const file of files) {
    const drawn = readFileSync(join(folder, file), 'utf8')
    t.equal(readFileSync(join('docs', file), 'utf8'), drawn, file)
    t.equal(XMLValidator.validate(drawn), true)
    t.notMatch(drawn, /NaN|Infinity|undefined/u)
    t.match(page, `](${file})`, 'and the page shows it')
  }
})

t.test('a chart has its title, labels, legend and lines', async (t) => {
  const svg = lineChart({
    title: 'Less < more & "both"',
    subtitle: 'below',
    x: { label: 'hours', from: 0, to: 10, ticks: [{ at: 5, label: 'five' }] },
    y: { label: 'users', from: 1, to: 100, log: true, ticks: [{ at: 10, label: 'ten' }] },
    series: [
      {
        name: 'even',
        points: [
          [0, 1],
          [5, 10],
          [10, 100],
        ],
        marked: true,
      },
      {
        name: 'a bound',
        points: [
          [0, 1000],
          [20, 0],
        ],
        dashed: true,
      },
    ],
  })
  t.equal(XMLValidator.validate(svg), true)
  const parsed = new XMLParser({ ignoreAttributes: false }).parse(svg)
  const texts = parsed.svg.text.map((text: { '#text': string }) => text['#text'])
  t.strictSame(texts.sort(), ['Less < more & "both"', 'a bound', 'below', 'even', 'five', 'hours', 'ten', 'users'])
  const [even, bound] = parsed.svg.polyline.map((line: Record<string, string>) => line['@_points'])
  t.equal(even, '84,352 424,214 764,76', 'corner, middle, corner: the axis is logarithmic')
  t.equal(bound, '84,76 764,352', 'a point outside the axes is drawn at their edge')
  t.match(parsed.svg['@_aria-label'], 'Less')
  t.match(svg, /prefers-color-scheme: dark/u)
})
