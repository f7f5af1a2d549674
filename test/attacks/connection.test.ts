import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { type build as Build, build, SENTINELS } from '../helpers/build.ts'
import { sendRaw } from '../helpers/raw.ts'
import { claims, mint } from '../helpers/tokens.ts'
import { until } from '../helpers/until.ts'
import { heldSource, metric } from '../helpers/vending.ts'

type App = Awaited<ReturnType<typeof Build>>['app']

const authorization = `authorization: Bearer ${mint(claims())}`
const vend = (...headers: string[]) => post('{"policy":"user-upload"}', authorization, ...headers)
const post = (body: string, ...headers: string[]) =>
  [...head('POST', '/v1/credentials', ...headers), `content-length: ${body.length}`, '', body].join('\r\n')
const get = (path: string, ...headers: string[]) => [...head('GET', path, ...headers), '', ''].join('\r\n')
const head = (method: string, path: string, ...headers: string[]) => [
  `${method} ${path} HTTP/1.1`,
  'host: x',
  'content-type: application/json',
  ...headers,
]

/** The status codes of the answers in what a socket brought. */
const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+) /gu)].map(([, status]) => Number(status))

async function open(t: Test, app: App): Promise<Socket> {
  const { port, hostname } = new URL(await listening(app))
  const socket = connect(Number(port), hostname).on('error', () => {})
  t.teardown(() => socket.destroy())
  await once(app.server, 'connection')
  return socket
}

/** Listens unless it does already. */
async function listening(app: App): Promise<string> {
  const address = app.server.address()
  if (address && typeof address === 'object') return `http://127.0.0.1:${address.port}`
  return app.listen({ host: '127.0.0.1', port: 0 })
}

const connections = (app: App) => promisify(app.server.getConnections.bind(app.server))()

async function closed(app: App): Promise<void> {
  await until(async () => (await connections(app)) === 0)
}

t.test('requests that are sent ahead take turns, and all are answered in order', async (t) => {
  const { asked, source } = heldSource()
  const { app } = await build(t, { dependencies: { source } })
  let begun = 0
  app.addHook('onRequest', async () => void begun++)
  const socket = await open(t, app)
  socket.write(`${vend()}${get('/nope')}${get('/livez')}${post('{}')}${get('/livez', 'connection: close')}`)
  await until(() => asked.length > 0)
  t.equal(begun, 1, 'the others wait while the first is in work')
  t.equal(app.unanswered.some(), true)
  asked[0]?.pay({ ...SENTINELS, expiresAt: Date.now() + 3_600_000 })
  let answer = ''
  for await (const chunk of socket.setEncoding('utf8')) answer += chunk
  t.strictSame(statuses(answer), [200, 404, 200, 401, 200])
  t.equal(app.unanswered.some(), false)
})

t.test('too many requests ahead cost the connection', async (t) => {
  const many = Array.from({ length: 101 }, (_, index) => `x${index}: 1`)
  const rows = [
    { name: 'as many as may wait', input: get('/livez').repeat(5), want: 0 },
    { name: 'one more', input: get('/livez').repeat(6), want: 1 },
    { name: 'a thousand', input: get('/livez').repeat(1000), want: 1 },
    { name: 'that Node would refuse by itself', input: 'GET / HTTP/1.1\r\n\r\n'.repeat(6), want: 1 },
    { name: 'that expect something', input: get('/livez', 'expect: miracles').repeat(6), want: 1 },
    { name: 'of which one would be large to hold', input: vend() + get('/livez', ...many), want: 1 },
    {
      name: 'that are large to hold together',
      input: vend() + get('/livez', `x: ${'x'.repeat(9000)}`).repeat(2),
      want: 1,
    },
    { name: 'that were answered meanwhile', input: undefined, want: 0 },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      const metrics = new Registry()
      const { source } = heldSource()
      const { app } = await build(t, { dependencies: { metrics, source } })
      const socket = await open(t, app)
      let answer = ''
      socket.setEncoding('utf8').on('data', (chunk) => (answer += chunk))
      const requests = input === undefined ? Array<string>(20).fill(get('/livez')) : [input]
      for (const [index, request] of requests.entries()) {
        socket.write(request)
        while (input === undefined && statuses(answer).length <= index) await once(socket, 'data')
      }
      if (want === 0) {
        while (statuses(answer).length < (input === undefined ? 20 : 5)) await once(socket, 'data')
      } else await closed(app)
      t.equal(await metric(metrics, 'oss_vend_connections_cut_total', { reason: 'pipelining' }), want)
    })
  }
})

t.test('what was accepted behind another request is answered while the service stops', async (t) => {
  const { asked, source } = heldSource()
  const { app, stop } = await build(t, { dependencies: { source } })
  const socket = await open(t, app)
  socket.write(`${vend()}${get('/livez')}${get('/livez')}`)
  await until(() => asked.length > 0)
  const stopped = stop(0)
  await until(() => !app.server.listening)
  asked[0]?.pay({ ...SENTINELS, expiresAt: Date.now() + 3_600_000 })
  let answer = ''
  for await (const chunk of socket.setEncoding('utf8')) answer += chunk
  t.strictSame(statuses(answer), [200, 200, 200])
  t.equal(answer.match(/^connection: close\r$/gimu)?.length, 1, 'the last one says that it is the last')
  await stopped
})

t.test('a client that does not read its answers is cut off', async (t) => {
  const rows = [
    { name: 'of the largest file', input: get('/docs/static/swagger-ui-bundle.js') },
    { name: 'of the API description', input: get('/openapi.json') },
  ]
  for (const { name, input } of rows) {
    t.test(name, async (t) => {
      const metrics = new Registry()
      const { app } = await build(t, { env: { REQUEST_TIMEOUT_MS: '1000' }, dependencies: { metrics } })
      let answered = 0
      app.addHook('onResponse', async () => void answered++)
      const socket = (await open(t, app)).pause()
      let asked = 0
      // The system holds some megabytes for the client. Then an answer does not leave, and this ends; Node itself
      // measures how long that lasts, so the second is a real one.
      for (; answered === asked; asked++) {
        socket.write(input)
        await until(async () => answered > asked || (await connections(app)) === 0)
      }
      t.equal(await metric(metrics, 'oss_vend_connections_cut_total', { reason: 'slow_reader' }), 1)
    })
  }
})

t.test('a client that does not read keeps nobody from stopping', async (t) => {
  const { asked, source } = heldSource()
  const { app, stop } = await build(t, { env: { REQUEST_TIMEOUT_MS: '60000' }, dependencies: { source } })
  const socket = (await open(t, app)).pause()
  socket.write(vend() + get('/docs/static/swagger-ui-bundle.js').repeat(4))
  await until(() => asked.length > 0)
  const began = performance.now()
  const stopped = stop(0)
  await until(() => !app.server.listening)
  asked[0]?.pay({ ...SENTINELS, expiresAt: Date.now() + 3_600_000 })
  await stopped
  t.ok(performance.now() - began < 10_000, 'though its answers begin when idle connections have been closed')
})

t.test('100 Continue is sent once the token is accepted', async (t) => {
  const { app, asked } = await build(t)
  const url = await listening(app)
  const rows = [
    { name: 'no token', input: head('POST', '/v1/credentials'), want: [401] },
    { name: 'a bad token', input: head('POST', '/v1/credentials', 'authorization: Bearer a.b.c'), want: [401] },
    { name: 'an unknown route', input: head('POST', '/nope', authorization), want: [404] },
    { name: 'a type that is not read', input: head('POST', '/v1/credentials', authorization), want: [100, 200] },
  ]
  for (const { name, input, want } of rows) {
    t.test(name, async (t) => {
      const socket = await open(t, app)
      socket.write([...input, 'expect: 100-continue', 'content-length: 24', '', ''].join('\r\n'))
      let answer = ''
      socket.setEncoding('utf8').on('data', (chunk) => {
        answer += chunk
        if (statuses(answer).at(-1) === 100) socket.write('{"policy":"user-upload"}')
        if (statuses(answer).at(-1) === 200) socket.end()
      })
      await once(socket, 'close')
      t.strictSame(statuses(answer), want)
      if (want[0] !== 100) t.match(answer, /^connection: close\r$/imu)
    })
  }
  t.test('another expectation is refused', async (t) => {
    const answer = await sendRaw(url, get('/livez', 'expect: miracles', 'connection: close'))
    t.strictSame(statuses(answer), [400])
    t.match(answer, '"code":"invalid_request"')
  })
  t.test('STS was asked for the good one', async (t) => t.equal(asked.length, 1))
})

t.test('a client that leaves in the middle of its request is no error of the service', async (t) => {
  const { app, logs } = await build(t)
  const rows = [
    {
      name: 'in a body of known length',
      input: [...head('POST', '/v1/credentials', authorization), 'content-length: 100', '', '{"'],
    },
    {
      name: 'in a chunked body',
      input: [...head('POST', '/v1/credentials', authorization), 'transfer-encoding: chunked', '', '2', '{"', ''],
    },
  ]
  for (const { name, input } of rows) {
    for (const leave of ['destroy', 'resetAndDestroy', 'end'] as const) {
      t.test(`${name}, by ${leave}`, async (t) => {
        let parsing = false
        const fresh = await build(t)
        fresh.app.addHook('preParsing', async () => {
          parsing = true
        })
        const socket = await open(t, fresh.app)
        socket.write(input.join('\r\n'))
        await until(() => parsing)
        socket[leave]()
        const told = () => fresh.logs.lines().filter(({ msg }) => msg === 'refused' || msg === 'unexpected error')
        await until(() => told().length > 0)
        t.match(told(), [{ level: 30, code: 'invalid_request', reason: 'aborted' }])
      })
    }
  }
  t.notOk(logs.lines().some(({ level }) => Number(level) >= 50) || app.unanswered.some())
})

t.test('a connection that was refused is not held open', async (t) => {
  const { app } = await build(t, { env: { REQUEST_TIMEOUT_MS: '1000' } })
  const { port, hostname } = new URL(await listening(app))
  const rows = [
    { name: 'no HTTP', input: '\x16\x03\x01\r\n\r\n' },
    { name: 'half a request', input: 'GET /livez HTTP/1.1\r\nhost: x\r\n' },
    { name: 'headers of 30 KiB', input: get('/livez', `x: ${'x'.repeat(30_000)}`) },
  ]
  for (const { name, input } of rows) {
    t.test(name, async (t) => {
      const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }).on('error', () => {})
      t.teardown(() => socket.destroy())
      await once(app.server, 'connection')
      socket.write(input)
      socket.resume()
      await closed(app)
      t.pass('though the client never ends it')
    })
  }
})
