import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import t from 'tap'
import { environment } from '../../helpers/build.ts'
import { start } from '../../helpers/process.ts'

const CONNECTIONS = 20
const REQUESTS = 1000
const MAX_GROWTH_MB = 100
/** An idle machine needs a tenth of a second; this one may do other things. A healthcheck gives up after a few seconds. */
const LIVE_MS = 3000
/** Looks at the service while it is flooded. Before each, more connections send as many requests as may wait. */
const PROBES = 12

const get = (path: string, ...headers: string[]) => request('GET', path, ...headers)
const request = (method: string, path: string, ...headers: string[]) =>
  [`${method} ${path} HTTP/1.1`, 'host: x', ...headers, '', ''].join('\r\n')
const post = (path: string, body: string, ...headers: string[]) =>
  request('POST', path, `content-length: ${body.length}`, 'content-type: application/json', ...headers) + body

const preflight = ['origin: https://app.example.test', 'access-control-request-method: POST']
const manyHeaders = (count: number) => Array.from({ length: count }, (_, index) => `${index.toString(36)}:`)

/** Everything that is answered to somebody without a token. */
const ROWS = [
  { name: 'the largest file', input: get('/docs/static/swagger-ui-bundle.js') },
  { name: 'its head', input: request('HEAD', '/docs/static/swagger-ui-bundle.js') },
  { name: 'the API page', input: get('/docs') },
  { name: 'the API page with a long query', input: get(`/docs?${'a=1&'.repeat(500)}`) },
  { name: 'the API description', input: get('/openapi.json') },
  { name: 'a probe', input: get('/livez') },
  { name: 'readiness', input: get('/readyz') },
  { name: '404', input: get('/nope') },
  { name: '404 with a body', input: post('/nope', 'x'.repeat(500)) },
  { name: '404 with a chunked body', input: `${get('/nope', 'transfer-encoding: chunked')}3\r\nabc\r\n0\r\n\r\n` },
  { name: '400 for the path', input: get('/%zz') },
  { name: '401 without a token', input: post('/v1/credentials', '{"policy":"user-upload"}') },
  { name: '401 for a token', input: post('/v1/credentials', '{}', 'authorization: Bearer a.b.c') },
  { name: '401 for another method', input: get('/v1/policies', `authorization: Bearer ${'a'.repeat(1000)}`) },
  { name: '401 before the body is sent', input: post('/v1/credentials', '{}', 'expect: 100-continue') },
  { name: 'an expectation that nobody meets', input: get('/livez', 'expect: miracles') },
  { name: 'a CORS preflight', input: request('OPTIONS', '/v1/credentials', ...preflight) },
  { name: 'as many headers as are allowed', input: get('/livez', ...manyHeaders(99)) },
  { name: 'more headers than are allowed', input: get('/livez', ...manyHeaders(300)) },
  { name: 'no Host', input: 'GET /livez HTTP/1.1\r\n\r\n' },
  { name: 'no method that exists', input: 'BREW / HTTP/1.1\r\nhost: x\r\n\r\n' },
  { name: 'HTTP/1.0', input: 'GET /livez HTTP/1.0\r\nconnection: keep-alive\r\n\r\n' },
  { name: 'no HTTP', input: '\x16\x03\x01\x02\x00'.repeat(20) },
  { name: 'an upgrade', input: get('/livez', 'connection: upgrade', 'upgrade: websocket') },
  { name: 'metrics, on the ops listener', input: get('/metrics'), ops: true },
  { name: '404, on the ops listener', input: get('/nope'), ops: true },
]

const linux = { skip: process.platform !== 'linux' && 'memory is read in /proc' }

t.test('answers that nobody reads cost no memory and keep nobody waiting', linux, async (t) => {
  t.setTimeout(180_000)
  const child = start(t, {
    ...environment,
    PORT: '0',
    OPS_PORT: '0',
    CORS_ORIGINS: 'https://app.example.test',
    OVERLOAD_HEAP_PERCENT: '0',
  })
  const [ops = '', url = ''] = await addresses(child.stdout)
  const rss = async () => {
    const [, kilobytes] = /^VmRSS:\s+(\d+)/mu.exec(await readFile(`/proc/${child.pid}/status`, 'utf8')) ?? []
    return Number(kilobytes) / 1024
  }
  /** How long the slower of the two listeners takes to say that it is alive. */
  const alive = async () => {
    const began = performance.now()
    const answers = await Promise.all([url, ops].map((server) => fetch(`${server}/livez`)))
    return answers.every(({ ok }) => ok) ? performance.now() - began : Number.POSITIVE_INFINITY
  }
  // What is loaded once, and the garbage that any load makes, is no growth.
  for (let i = 0; i < 30; i++) {
    const paths = Array.from({ length: 20 }, () => ['docs', 'openapi.json', 'livez', 'nope']).flat()
    await Promise.all(paths.map(async (path) => (await fetch(`${url}/${path}`)).arrayBuffer()))
  }
  await (await fetch(`${url}/docs/static/swagger-ui-bundle.js`)).arrayBuffer()
  const first = await rss()
  let highest = 0

  for (const { name, input, ops: onOps } of ROWS) {
    t.test(name, async (t) => {
      const { port, hostname } = new URL(onOps ? ops : url)
      const open = () => {
        const sockets = Array.from({ length: CONNECTIONS }, () =>
          connect({ host: hostname, port: Number(port) })
            .on('error', () => {})
            .pause(),
        )
        t.teardown(() => sockets.forEach((socket) => void socket.destroy()))
        return sockets
      }
      const before = await rss()
      for (const socket of open()) socket.write(input.repeat(REQUESTS))
      const patient = open()
      let peak = 0
      let slowest = 0
      for (let probe = 0; probe < PROBES; probe++) {
        for (const socket of patient) if (socket.writable) socket.write(input.repeat(4))
        slowest = Math.max(slowest, await alive())
        peak = Math.max(peak, await rss())
      }
      t.ok(slowest < LIVE_MS, `/livez took ${Math.round(slowest)} ms`)
      t.ok(peak - before < MAX_GROWTH_MB, `${Math.round(peak - before)} MB more than before`)
      highest = Math.max(highest, peak)
    })
  }
  // Node collects what is old only now and then.
  t.test('nor do all of them together', async (t) => {
    t.ok(highest - first < 2 * MAX_GROWTH_MB, `${Math.round(highest - first)} MB more than at first`)
  })
})

/** Where the two listeners listen, the operator's first. */
async function addresses(stdout: ReturnType<typeof start>['stdout']): Promise<string[]> {
  let log = ''
  for await (const chunk of stdout) {
    log += chunk
    const found = [...log.matchAll(/listening at (http:[^"]+)/gu)].flatMap(([, url]) => url ?? [])
    if (found.length < 2) continue
    stdout.resume()
    return found
  }
  throw new Error(`it ended before it listened: ${log}`)
}
