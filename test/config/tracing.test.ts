import t from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { environment } from '../helpers/build.ts'
import { faultLines } from '../helpers/config-faults.ts'

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT'

t.test('nothing but an endpoint is needed', async (t) => {
  for (const [endpoint, want] of [
    ['http://collector:4318', 'http://collector:4318/v1/traces'],
    ['https://collector.test/otlp/', 'https://collector.test/otlp/v1/traces'],
  ]) {
    t.strictSame(readConfig({ ...environment, [ENDPOINT]: endpoint }).tracing, {
      endpoint: want,
      headers: {},
      serviceName: 'oss-vend',
      sampling: { sampler: 'traceidratio', ratio: 1 },
    })
  }
  t.equal(
    readConfig({ ...environment, OTEL_SERVICE_NAME: 'x' }).tracing,
    undefined,
    'and without one nothing is traced',
  )
})

t.test('an endpoint that cannot be used is refused, and so are headers that anyone could read', async (t) => {
  const rows = [
    { endpoint: 'collector:4318', want: ['must be an https URL'] },
    { endpoint: 'grpc://collector:4317', want: ['must be an https URL'] },
    { endpoint: 'https://user:secret@collector.test', want: ['must not carry credentials, a query or a fragment'] },
    { endpoint: 'https://collector.test?token=secret', want: ['must not carry credentials, a query or a fragment'] },
    {
      endpoint: 'http://collector:4318',
      headers: 'api-key=secret',
      want: ['must be https while OTEL_EXPORTER_OTLP_HEADERS is set'],
    },
    { endpoint: 'http://127.0.0.1:4318', headers: 'api-key=secret', want: [] },
    { endpoint: 'https://collector.test', headers: 'api-key=secret', want: [] },
  ]
  for (const { endpoint, headers = '', want } of rows) {
    const lines = faultLines({ [ENDPOINT]: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers })
    t.strictSame(
      lines,
      want.map((rule) => `${ENDPOINT}: ${rule}`),
      endpoint,
    )
  }
})

t.test('the last spans have a second before the process is killed', async (t) => {
  const slowest = { VEND_DEADLINE_MS: '8000', SHUTDOWN_DELAY_MS: '1000' }
  t.strictSame(faultLines(slowest), [])
  t.strictSame(faultLines({ ...slowest, [ENDPOINT]: 'http://127.0.0.1:4318' }), [
    'SHUTDOWN_DELAY_MS: VEND_DEADLINE_MS and SHUTDOWN_DELAY_MS together must be at most 8000',
  ])
})

t.test(
  'other variables of OpenTelemetry, which orchestrators set for every container, are no typing errors',
  async (t) => {
    const names = [
      'PROTOCOL',
      'TIMEOUT',
      'INSECURE',
      'COMPRESSION',
      'CERTIFICATE',
      'TRACES_ENDPOINT',
      'METRICS_ENDPOINT',
    ]
    const others = ['OTEL_RESOURCE_ATTRIBUTES', 'OTEL_PROPAGATORS', 'OTEL_TRACES_EXPORTER', 'OTEL_METRICS_EXPORTER']
    const all = [
      ...names.map((name) => `OTEL_EXPORTER_OTLP_${name}`),
      ...others,
      'OTEL_LOGS_EXPORTER',
      'OTEL_SDK_DISABLED',
    ]
    t.strictSame(faultLines(Object.fromEntries(all.map((name) => [name, 'x']))), [])
  },
)
