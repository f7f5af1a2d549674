import t from 'tap'
import { checkCors } from '../../../src/cli/doctor/cors.ts'
import { createPool } from '../../../src/lib/outbound.ts'
import { listen } from '../../helpers/listen.ts'
import { template } from '../../helpers/templates.ts'
import { ORIGIN } from './harness.ts'

const HEADERS =
  'amz-sdk-invocation-id, amz-sdk-request, authorization, content-type, x-amz-content-sha256, x-amz-date, x-amz-security-token, x-amz-user-agent'
const GOOD = {
  'access-control-allow-origin': ORIGIN,
  'access-control-allow-methods': 'PUT, POST',
  'access-control-allow-headers': HEADERS,
}

t.test('a preflight is judged as a browser judges it', async (t) => {
  const rows: readonly Readonly<{ name: string; status?: number; headers: Record<string, string>; want: string }>[] = [
    { name: 'all is allowed', headers: GOOD, want: 'passed' },
    { name: 'any origin', headers: { ...GOOD, 'access-control-allow-origin': '*' }, want: 'passed' },
    { name: 'any method', headers: { ...GOOD, 'access-control-allow-methods': '*' }, want: 'passed' },
    {
      name: 'names in capitals',
      headers: { ...GOOD, 'access-control-allow-headers': HEADERS.toUpperCase() },
      want: 'passed',
    },
    {
      name: 'any header and authorization',
      headers: { ...GOOD, 'access-control-allow-headers': '*, authorization' },
      want: 'passed',
    },
    {
      name: 'any header, which is not authorization',
      headers: { ...GOOD, 'access-control-allow-headers': '*' },
      want: 'failed',
    },
    {
      name: 'another origin',
      headers: { ...GOOD, 'access-control-allow-origin': `${ORIGIN}.evil.test` },
      want: 'failed',
    },
    { name: 'a method is missing', headers: { ...GOOD, 'access-control-allow-methods': 'PUT' }, want: 'failed' },
    {
      name: 'a header is missing',
      headers: { ...GOOD, 'access-control-allow-headers': 'authorization' },
      want: 'failed',
    },
    { name: 'another status', status: 403, headers: GOOD, want: 'failed' },
    { name: 'a redirect', status: 301, headers: { ...GOOD, location: 'http://127.0.0.1:1' }, want: 'failed' },
    { name: 'nothing', headers: {}, want: 'failed' },
  ]
  const pool = createPool({ connections: 1, connectTimeoutMs: 2000, maxResponseBytes: 1024, keepAlive: false })
  t.teardown(() => pool.close())
  for (const { name, status = 200, headers, want } of rows) {
    const endpoint = await listen(t, (_request, response) => response.writeHead(status, headers).end())
    const oss = { account: '111111111111', region: 'cn-north-1', bucket: 'test-app', endpoint }
    const options = { oss, origins: [ORIGIN], templates: [template()], pool, timeoutMs: 5000 }
    t.strictSame(
      (await checkCors(options)).lines.map((line) => line.status),
      [want],
      name,
    )
  }
})
