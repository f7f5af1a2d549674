import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { createStsHandler } from '../../sandbox/sts/handler.ts'
import { createWorld, SANDBOX_KEYS } from '../../sandbox/world.ts'
import { VendError } from '../../src/errors.ts'
import { build, type Overrides } from '../helpers/build.ts'
import { collector } from '../helpers/collector.ts'
import { listen } from '../helpers/listen.ts'
import { needsRedis, redisServer } from '../helpers/redis.ts'
import { claims, keys, mint } from '../helpers/tokens.ts'
import { until } from '../helpers/until.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const AES_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => 7 * index ** 2)).toString('base64')
const [INTERNAL, SERVER, CLIENT] = [1, 2, 3]

const vend = (sub = 'alice', more: Record<string, string> = {}) => ({
  method: 'POST' as const,
  url: '/v1/credentials',
  headers: { authorization: `Bearer ${mint(claims({ sub }))}`, ...more },
  payload: { policy: 'user-upload' },
})

/** The service with a collector. */
async function traced(t: Test, { env = {}, ...overrides }: Overrides = {}) {
  const to = await collector(t)
  const built = await build(t, { ...overrides, env: { OTEL_EXPORTER_OTLP_ENDPOINT: to.url, ...env } })
  return { ...built, to }
}

t.test('a vend is one trace, from the client to STS', async (t) => {
  const asked: IncomingHttpHeaders[] = []
  const sts = createStsHandler(createWorld())
  const stsUrl = await listen(t, (request, response) => {
    asked.push(request.headers)
    sts(request, response)
  })
  const { accessKey, secretKey } = SANDBOX_KEYS.testIam
  const { app, to, logs } = await traced(t, {
    env: {
      ...{ JDCLOUD_STS_ENDPOINT: stsUrl, JDCLOUD_ACCESS_KEY: accessKey, JDCLOUD_SECRET_KEY: secretKey },
      ...{ OTEL_SERVICE_NAME: 'my-vend', OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20of-collector,x-a=b' },
    },
    realSts: true,
  })
  const { url, method, headers, payload } = vend('alice', { traceparent: `00-${TRACE}-${PARENT}-01` })
  // Over a real connection, where the body arrives in events that belong to no request.
  const answer = await fetch(`${await app.listen({ host: '127.0.0.1', port: 0 })}${url}`, {
    ...{ method, body: JSON.stringify(payload) },
    headers: { ...headers, 'content-type': 'application/json' },
  })
  t.equal(answer.status, 200, 'STS takes a signed request that has a traceparent')
  await app.inject(vend())
  await app.close()

  const ours = to.spans().filter(({ traceId }) => traceId === TRACE)
  const named = (name: string) => ours.find((span) => span.name === name)
  const request = named('POST /v1/credentials')
  t.match(request, {
    kind: SERVER,
    parentSpanId: PARENT,
    attributes: { 'http.request.method': 'POST', 'http.route': '/v1/credentials', 'http.response.status_code': 200 },
  })
  const inside = { parentSpanId: request?.spanId, kind: INTERNAL }
  t.match(named('verify'), { ...inside, attributes: { 'oss_vend.issuer': 'app' } })
  t.match(named('authorise'), {
    ...inside,
    attributes: { 'oss_vend.policy': 'user-upload', 'oss_vend.target': 'default' },
  })
  t.match(named('session'), { ...inside, attributes: { 'oss_vend.session.from': 'sts' } })
  t.match(named('AssumeRole'), { parentSpanId: named('session')?.spanId, attributes: { 'oss_vend.target': 'default' } })
  t.match(named('POST'), {
    kind: CLIENT,
    parentSpanId: named('AssumeRole')?.spanId,
    attributes: { 'server.address': '127.0.0.1', 'http.response.status_code': 200 },
  })
  t.equal(asked[0]?.traceparent, `00-${TRACE}-${named('POST')?.spanId}-01`, 'STS can continue the trace')
  t.match(
    to.spans().find(({ name, traceId }) => name === 'session' && traceId !== TRACE),
    { attributes: { 'oss_vend.session.from': 'cache' } },
    'and a vend without a traceparent has a trace of its own',
  )
  t.match(
    logs.lines().find(({ msg }) => msg === 'vended'),
    { trace_id: TRACE, span_id: request?.spanId, trace_flags: '01' },
  )
  t.match(to.received[0], {
    path: '/v1/traces',
    headers: { authorization: 'Bearer of-collector', 'x-a': 'b', 'content-type': 'application/json' },
  })
  t.notOk(to.received[0]?.headers.traceparent, 'the collector is not part of the trace')
  t.match(to.requests()[0]?.resourceSpans[0]?.resource.attributes, { 'service.name': 'my-vend' })
  t.notMatch(logs.text(), 'of-collector')
})

t.test('a body that arrives late belongs to its request', async (t) => {
  const { app, to } = await traced(t)
  const { hostname, port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const body = '{"policy":"user-upload"}'
  const socket = connect({ host: hostname, port: Number(port) })
  const head = [
    'POST /v1/credentials HTTP/1.1',
    ...['host: x', `authorization: ${vend().headers.authorization}`, 'content-type: application/json'],
    ...[`content-length: ${body.length}`, 'expect: 100-continue', 'connection: close', '', ''],
  ]
  socket.write(head.join('\r\n'))
  t.match(String((await once(socket, 'data'))[0]), 'HTTP/1.1 100 Continue')
  socket.write(body)
  t.match(String((await once(socket, 'data'))[0]), 'HTTP/1.1 200')
  socket.destroy()
  await app.close()
  const { spanId } = to.span('POST /v1/credentials')
  for (const name of ['verify', 'authorise', 'session']) t.equal(to.span(name).parentSpanId, spanId, name)
})

t.test('a key server that is asked for the key of a token can continue the trace', async (t) => {
  const asked: (string | string[] | undefined)[] = []
  const jwk = { ...keys.rsa.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }
  const JWT_JWKS_URL = await listen(t, (request, response) => {
    asked.push(request.headers.traceparent)
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }))
  })
  const { app, to } = await traced(t, { env: { JWT_SECRET: '', JWT_JWKS_URL } })
  await until(async () => (await app.inject({ url: '/readyz' })).statusCode === 200)
  t.strictSame(asked, [undefined], 'what no request causes is in no trace')
  const authorization = `Bearer ${mint(claims(), { alg: 'RS256', kid: 'two' })}`
  await app.inject(vend('alice', { authorization, traceparent: `00-${TRACE}-${PARENT}-01` }))
  await app.close()
  const { spanId, parentSpanId } = to.span('GET')
  t.equal(parentSpanId, to.span('verify').spanId)
  t.strictSame(asked, [undefined, `00-${TRACE}-${spanId}-01`])
})

t.test('what Redis is asked is part of the trace', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const { app, to } = await traced(t, { env: { REDIS_URL: url, CACHE_ENCRYPTION_KEY: AES_KEY } })
  await app.inject(vend())
  await app.close()
  const session = to.span('session')
  for (const name of ['redis read', 'redis write']) {
    const found = to.spans().filter((span) => span.name === name && span.parentSpanId === session.spanId)
    t.match(found[0], { kind: CLIENT, attributes: { 'db.system.name': 'redis' } }, name)
  }
})

t.test('a refusal is a client’s mistake, a failure an error, and both say their code alone', async (t) => {
  const [OK, ERROR] = [0, 2]
  const source = {
    assumeRole: () => Promise.reject(new VendError('upstream_denied', { cause: new Error('not for a trace') })),
    close: async () => {},
  }
  const { app, to } = await traced(t, { dependencies: { source } })
  await app.inject(vend())
  await app.inject({ ...vend(), payload: { policy: 'nope' } })
  await app.inject({ ...vend(), headers: { authorization: 'Bearer a.b.c' } })
  await app.close()
  const answers = to.spans().filter(({ kind }) => kind === SERVER)
  t.strictSame(
    answers.map(({ attributes, status }) => [attributes['error.type'], status.code]),
    [
      ['upstream_denied', ERROR],
      ['policy_not_found', OK],
      ['unauthenticated', OK],
    ],
  )
  t.match(to.span('AssumeRole'), { attributes: { 'error.type': 'upstream_denied' }, status: { code: ERROR } })
  t.notMatch(to.text(), 'not for a trace')
})

t.test('probes are not traced, and no text of a client names a span', async (t) => {
  const { app, to } = await traced(t, { env: { CORS_ORIGINS: 'https://app.example.test' } })
  for (const url of ['/livez', '/readyz', '/made-up-1', '/v1/credentials/made-up-2']) await app.inject({ url })
  await app.inject({ url: '/v1/aws/container-credentials/made-up-3?x=made-up-4', headers: vend().headers })
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/v1/credentials',
    headers: { origin: 'https://app.example.test', 'access-control-request-method': 'POST' },
  })
  t.match(preflight.headers['access-control-allow-headers'], /\btraceparent\b/u, 'a page may begin the trace')
  await app.close()
  t.strictSame([...new Set(to.spans().flatMap(({ kind, name }) => (kind === SERVER ? name : [])))].sort(), [
    'GET /v1/aws/container-credentials/:policy',
    'GET unknown',
  ])
  t.notMatch(to.text(), 'made-up')
})

t.test('a traceparent that is malformed is ignored', async (t) => {
  const { app, to } = await traced(t)
  const malformed = [
    '',
    'x'.repeat(4000),
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-0`,
    `00-${TRACE}-${PARENT}-01-more`,
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`,
    ` 00-${TRACE}-${PARENT}-01\t`,
    `00-${TRACE}\u0000-${PARENT}-01`,
  ]
  for (const traceparent of malformed) t.equal((await app.inject(vend('alice', { traceparent }))).statusCode, 200)
  await app.close()
  const requests = to.spans().filter(({ kind }) => kind === SERVER)
  t.equal(requests.length, malformed.length)
  t.equal(new Set(requests.map(({ traceId }) => traceId)).size, malformed.length)
  t.notOk(requests.some(({ parentSpanId, traceId }) => parentSpanId || traceId === TRACE))
})

t.test('the service chooses what is traced, and a client only where it is believed', async (t) => {
  // The SDK's own sampler always traces the first of these ids.
  const wants = [`00-${'0'.repeat(31)}1-${PARENT}-01`, `00-${'f'.repeat(32)}-${PARENT}-01`]
  const declines = `00-${TRACE}-${PARENT}-00`
  const rows = [
    { sampler: 'traceidratio', arg: '0', random: 0, traceparents: wants, want: 0 },
    { sampler: 'traceidratio', arg: '0.5', random: 0.5, traceparents: wants, want: 0 },
    { sampler: 'traceidratio', arg: '0.5', random: 0.49, traceparents: wants, want: 2 },
    { sampler: 'always_off', arg: '1', random: 0, traceparents: wants, want: 0 },
    { sampler: 'always_on', arg: '0', random: 0.9, traceparents: [declines], want: 1 },
    { sampler: 'traceidratio', arg: '1', random: 0.9, traceparents: [declines], want: 1 },
    { sampler: 'parentbased_traceidratio', arg: '0', random: 0, traceparents: wants, want: 2 },
    { sampler: 'parentbased_always_on', arg: '0', random: 0, traceparents: [declines], want: 0 },
    { sampler: 'parentbased_always_off', arg: '1', random: 0, traceparents: [''], want: 0 },
  ]
  for (const { sampler, arg, random, traceparents, want } of rows) {
    t.test(`${sampler}, ${arg}, ${random}`, async (t) => {
      const env = { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: arg }
      const { app, to, logs } = await traced(t, { env, dependencies: { random: () => random } })
      for (const traceparent of traceparents) await app.inject(vend('alice', { traceparent }))
      await app.close()
      t.equal(to.spans().filter(({ kind }) => kind === SERVER).length, want)
      t.equal(to.spans().length > 0, want > 0, 'a step is traced with its request')
      const flags = logs.lines().flatMap(({ msg, trace_flags }) => (msg === 'vended' ? [trace_flags] : []))
      t.strictSame(flags, Array(traceparents.length).fill(want > 0 ? '01' : '00'), 'and the log says so')
    })
  }
})

/** More vends than fit into one message, so that the service sends one at once. */
async function fillQueue(app: Awaited<ReturnType<typeof build>>['app']) {
  const statuses = await Promise.all(Array.from({ length: 100 }, async () => (await app.inject(vend())).statusCode))
  return new Set(statuses)
}

t.test('a collector that is down costs no vend, and the log says so once', async (t) => {
  const { app, logs } = await build(t, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' } })
  const told = () => logs.lines().filter(({ msg }) => msg === 'traces cannot be sent: they are lost')
  for (let round = 0; round < 2; round++) t.strictSame(await fillQueue(app), new Set([200]))
  await until(() => told().length > 0)
  await app.close()
  t.match(told(), [{ level: 40, reason: 'network' }])
  t.equal(told().length, 1)
})

t.test('a collector that refuses is told apart, and one that is well again is told too', async (t) => {
  const { app, to, logs } = await traced(t)
  to.state.answer = 503
  t.strictSame(await fillQueue(app), new Set([200]))
  const said = (msg: string) => logs.lines().filter((line) => line.msg === msg)
  await until(() => said('traces cannot be sent: they are lost').length > 0)
  t.match(said('traces cannot be sent: they are lost'), [{ reason: 'refused', status: 503 }])
  to.state.answer = 200
  await fillQueue(app)
  await until(() => said('traces are sent again').length > 0)
  await app.close()
  t.equal(said('traces are sent again').length, 1)
})

t.test('a collector that hangs costs no vend, and keeps no service from ending', async (t) => {
  const { app, to } = await traced(t)
  to.state.answer = undefined
  t.strictSame(await fillQueue(app), new Set([200]))
  await until(() => to.received.length > 0)
  const began = performance.now()
  t.strictSame(await fillQueue(app), new Set([200]), 'while a message hangs')
  const vendsMs = performance.now() - began
  const closing = performance.now()
  await app.close()
  const closeMs = performance.now() - closing
  t.ok(closeMs < 4000, `ended after ${closeMs} ms, one second of which is for the last spans`)
  t.comment(`100 vends took ${vendsMs} ms`)
})

t.test('a redirect of the collector is not followed', async (t) => {
  let followed = 0
  const elsewhere = await listen(t, (_request, response) => {
    followed++
    response.end('{}')
  })
  const { app, to, logs } = await traced(t)
  Object.assign(to.state, { answer: 307, location: elsewhere })
  await app.inject(vend())
  await app.close()
  t.match(
    logs.lines().find(({ msg }) => msg === 'traces cannot be sent: they are lost'),
    { status: 307 },
  )
  t.equal(followed, 0)
})
