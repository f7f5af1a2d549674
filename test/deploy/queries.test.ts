import { existsSync, readFileSync } from 'node:fs'
import { collectDefaultMetrics, Registry } from 'prom-client'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { dashboard } from '../../scripts/dashboard/dashboard.ts'
import { ERRORS } from '../../src/errors.ts'
import { build } from '../helpers/build.ts'
import { headings } from '../helpers/markdown.ts'
import { readQuery } from './promql.ts'
import { faultsOf } from './schema.ts'

const OPERATIONS = 'docs/operations.md'
/** Prometheus adds these: `up` and ALERTS are its own. */
const OF_PROMETHEUS = { up: [], ALERTS: ['alertname', 'alertstate', 'severity'] }
const TARGET_LABELS = ['job', 'instance']

const rule = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook: z.string() }),
})
const alertsText = readFileSync('deploy/prometheus/alerts.yaml', 'utf8')
const { groups } = z
  .strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(rule) })) })
  .parse(parse(alertsText))
const alerts = groups.flatMap(({ rules }) => rules)

const panels = z
  .object({
    panels: z.array(
      z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).default([]), type: z.string() }),
    ),
  })
  .parse(JSON.parse(dashboard())).panels

/** What Grafana puts in place of its variables. */
const withoutVariables = (expr: string) => expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.+')
const queries = [
  ...alerts.map(({ alert, expr }) => ({ name: alert, expr })),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ name: title, expr: withoutVariables(expr) }))),
]

/** Labels of each metric that the service registers, and of the series of its histograms. */
async function registered(t: Parameters<typeof build>[0]): Promise<Map<string, readonly string[]>> {
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  const env = {
    OPS_PORT: '0',
    REDIS_URL: 'redis://127.0.0.1:1',
    CACHE_ENCRYPTION_KEY: Buffer.from('0f9ddc27a6b1458e8c3b7d2e5a4f6019', 'latin1').toString('base64'),
  }
  const { ops } = await build(t, { env, dependencies: { metrics } })
  const shown = (await ops?.inject('/metrics'))?.body ?? ''
  const names = [...shown.matchAll(/^# TYPE (\w+) (\w+)$/gmu)].map(([, name = '', type = '']) => ({ name, type }))
  const labelled = z.object({ labelNames: z.array(z.string()) })
  const found = new Map<string, readonly string[]>([...Object.entries(OF_PROMETHEUS)])
  for (const { name, type } of names) {
    const labels = labelled.parse(metrics.getSingleMetric(name)).labelNames
    found.set(name, labels)
    if (type === 'histogram') for (const [series, all] of withSeries({ [name]: labels })) found.set(series, all)
  }
  return found
}

const withSeries = (metrics: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(metrics).flatMap(([name, labels]): [string, readonly string[]][] => [
    [name, labels],
    ...(name.endsWith('_seconds')
      ? ([
          [`${name}_bucket`, [...labels, 'le']],
          [`${name}_count`, labels],
          [`${name}_sum`, labels],
        ] satisfies [string, readonly string[]][])
      : []),
  ])

t.test('a query is read: its metrics, its labels, and what is no PromQL', async (t) => {
  t.strictSame(readQuery('sum by (le) (rate(a_bucket{x="1|2",y!="3"}[5m])) > 2'), {
    faults: [],
    metrics: ['a_bucket'],
    labels: ['le', 'x', 'y'],
    values: [
      ['x', '1'],
      ['x', '2'],
    ],
  })
  t.not(readQuery('rate(a[5m)').faults.length, 0)
})

t.test('each query of alerts and dashboard names metrics and labels that exist', async (t) => {
  const known = await registered(t)
  t.ok(queries.length > 60)
  for (const { name, expr } of queries) {
    const { faults, metrics, labels, values } = readQuery(expr)
    t.strictSame(faults, [], `${name} is PromQL`)
    t.ok(metrics.length > 0, name)
    const unknown = metrics.filter((metric) => !known.has(metric))
    t.strictSame(unknown, [], `${name}: the service has these metrics`)
    const allowed = new Set([...TARGET_LABELS, ...metrics.flatMap((metric) => known.get(metric) ?? [])])
    const wrong = labels.filter((label) => !allowed.has(label))
    t.strictSame(wrong, [], `${name}: the metrics have these labels`)
    for (const [label, value] of values) {
      if (label === 'outcome') t.ok(value in ERRORS || value === 'issued', `${name}: ${value} is an outcome`)
      if (label === 'job') t.equal(value, 'oss-vend', `${name}: the job of scraping`)
    }
  }
})

t.test('each alert says what to do first, and where to read on', async (t) => {
  t.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length, 'names are unique')
  const page = existsSync(OPERATIONS) ? headings(readFileSync(OPERATIONS, 'utf8')) : undefined
  for (const { alert, annotations } of alerts) {
    t.match(annotations.description, /\b(?:[Ff]irst|Make|Do not)\b/u, `${alert} says what to do first`)
    const [file, anchor] = annotations.runbook.split('#')
    t.equal(file, OPERATIONS, alert)
    if (page)
      t.ok(
        page.some((heading) => heading.anchor === anchor),
        `${alert}: ${annotations.runbook} is a heading`,
      )
  }
})

t.test('each alert has a case in which it fires, and one in which it does not', async (t) => {
  const cases = z
    .object({
      tests: z.array(
        z.object({
          name: z.string(),
          promql_expr_test: z.array(z.object({ exp_samples: z.array(z.object({ labels: z.string() })) })),
        }),
      ),
    })
    .parse(parse(readFileSync('deploy/prometheus/alerts.test.yaml', 'utf8'))).tests
  const fired = new Set(
    cases.flatMap(({ promql_expr_test }) =>
      promql_expr_test.flatMap(({ exp_samples }) => exp_samples.map(({ labels }) => labels)),
    ),
  )
  for (const { alert } of alerts) {
    t.ok(fired.has(`{alertname="${alert}"}`), `${alert} fires`)
    const quiet = new RegExp(`${alert} (?:does not fire|fires .*, and not)`, 'u')
    t.ok(
      cases.some(({ name }) => quiet.test(name)),
      `${alert} does not fire`,
    )
  }
})

t.test('indented below `spec`, as README.md does, the alerts are a PrometheusRule', async (t) => {
  const readme = readFileSync('deploy/README.md', 'utf8')
  t.match(readme, "sed 's/^/  /' deploy/prometheus/alerts.yaml")
  const head = 'apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: { name: oss-vend }\nspec:\n'
  t.ok(readme.replaceAll(/^ +/gmu, '').includes(head))
  t.strictSame(faultsOf(parse(head + alertsText.replaceAll(/^/gmu, '  '))), [])
})

t.test('the dashboard is the one that its rows make', async (t) => {
  t.equal(readFileSync('deploy/grafana/dashboard.json', 'utf8'), dashboard(), 'otherwise run: npm run dashboard')
  const titles = panels.map(({ title }) => title)
  t.equal(new Set(titles).size, titles.length, 'no two panels have the same title')
})
