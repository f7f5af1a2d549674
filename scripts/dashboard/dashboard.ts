import { machineryRows } from './machinery-rows.ts'
import type { Panel, Row } from './panel.ts'
import { serviceRows } from './service-rows.ts'

/** Grafana's grid has 24 columns. */
const COLUMNS = 24
const SIZES = { stat: { w: 4, h: 4 }, curve: { w: 8, h: 8 } } as const

const sizeOf = ({ stat }: Panel) => (stat ? SIZES.stat : SIZES.curve)

function panelOf(panel: Panel, id: number, x: number, y: number) {
  const { title, unit, queries, about, stat } = panel
  return {
    id,
    type: stat ? 'stat' : 'timeseries',
    title,
    ...(about !== undefined && { description: about }),
    datasource: { type: 'prometheus', uid: '${datasource}' },
    gridPos: { x, y, ...sizeOf(panel) },
    fieldConfig: { defaults: { unit }, overrides: [] },
    options: stat
      ? { graphMode: 'none', reduceOptions: { calcs: ['lastNotNull'] } }
      : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode(65 + index),
      expr,
      legendFormat,
    })),
  }
}

/** Panels beside each other, in lines below their row's title. */
function layOut(rows: readonly Row[]) {
  const laid: object[] = []
  let y = 0
  for (const { title, panels } of rows) {
    laid.push({
      id: laid.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
      panels: [],
    })
    y += 1
    let x = 0
    let lineHeight = 0
    for (const panel of panels) {
      const { w, h } = sizeOf(panel)
      if (x + w > COLUMNS) {
        x = 0
        y += lineHeight
        lineHeight = 0
      }
      laid.push(panelOf(panel, laid.length + 1, x, y))
      x += w
      lineHeight = Math.max(lineHeight, h)
    }
    y += lineHeight
  }
  return laid
}

/** The text of deploy/grafana/dashboard.json. */
export function dashboard(): string {
  const model = {
    uid: 'oss-vend',
    title: 'oss-vend',
    tags: ['oss-vend'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        {
          name: 'instance',
          label: 'Replica',
          type: 'query',
          datasource: { type: 'prometheus', uid: '${datasource}' },
          query: 'label_values(oss_vend_ready{job="oss-vend"}, instance)',
          refresh: 2,
          multi: true,
          includeAll: true,
          allValue: '.+',
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels: layOut([...serviceRows, ...machineryRows]),
  }
  return `${JSON.stringify(model, null, 2)}\n`
}
