import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { VendError } from '../../src/errors.ts'
import { build, SENTINELS } from '../helpers/build.ts'
import { listen } from '../helpers/listen.ts'
import { claims, keys, mint } from '../helpers/tokens.ts'
import { until } from '../helpers/until.ts'
import { heldSource, metric } from '../helpers/vending.ts'

const authorization = `Bearer ${mint(claims())}`
const vend = (payload: Record<string, unknown> = { policy: 'user-upload' }, more: Record<string, string> = {}) => ({
  method: 'POST' as const,
  url: '/v1/credentials',
  headers: { authorization, ...more },
  payload,
})

async function start(t: Test, ...[overrides = {}]: [Parameters<typeof build>[1]?]) {
  const metrics = new Registry()
  const dependencies = { ...overrides.dependencies, metrics }
  const built = await build(t, { ...overrides, dependencies })
  const requests = (labels: Record<string, string>) =>
    metrics
      .getMetricsAsJSON()
      .then((all) => all.find(({ name }) => name === 'oss_vend_http_request_seconds')?.values ?? [])
      .then((values) =>
        values.filter(
          (one) =>
            'metricName' in one &&
            one.metricName === 'oss_vend_http_request_seconds_count' &&
            Object.entries(labels).every(([label, value]) => String(Reflect.get(one.labels, label)) === value),
        ),
      )
      .then((found) => found.reduce((sum, { value }) => sum + value, 0))
  const vends = (policy: string, outcome: string) => metric(metrics, 'oss_vend_vends_total', { policy, outcome })
  return { ...built, metrics, requests, vends }
}

t.test('each request is counted by method, pattern of its route and status; probes are not', async (t) => {
  const { app, requests } = await start(t)
  await app.inject(vend())
  await app.inject(vend({ policy: 'nope' }))
  await app.inject({ url: '/v1/policies' })
  await app.inject({ url: '/v1/aws/container-credentials/user-upload?x=1', headers: { authorization } })
  for (const url of ['/livez', '/readyz']) await app.inject({ url })
  const rows = [
    { method: 'POST', route: '/v1/credentials', status: '200' },
    { method: 'POST', route: '/v1/credentials', status: '404' },
    { method: 'GET', route: '/v1/policies', status: '401' },
    { method: 'GET', route: '/v1/aws/container-credentials/:policy', status: '400' },
  ]
  for (const labels of rows) t.equal(await requests(labels), 1, JSON.stringify(labels))
  t.equal(await requests({}), rows.length, 'and no other')
})

t.test('vends are counted on every route that vends, by loaded template and outcome', async (t) => {
  const { app, vends } = await start(t)
  const post = (url: string, payload: object) => app.inject({ ...vend(), url, payload })
  const form = (token: string, role: string) => ({
    method: 'POST' as const,
    url: '/v1/aws/sts',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({
      ...{ Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15', RoleSessionName: 'web' },
      ...{ RoleArn: `arn:aws:iam::000000000000:role/${role}`, WebIdentityToken: token },
    }).toString(),
  })
  const key = 'users/alice/a'
  const good = [
    await app.inject(vend()),
    await app.inject({ url: '/v1/aws/container-credentials/user-upload', headers: { authorization } }),
    await app.inject(form(mint(claims()), 'user-upload')),
    await post('/v1/presigned-urls', { policy: 'user-upload', operation: 'PutObject', key }),
    await post('/v1/presigned-posts', { policy: 'user-upload', key, maxBytes: 1 }),
  ]
  t.strictSame(
    good.map(({ statusCode }) => statusCode),
    [200, 200, 200, 200, 200],
  )
  t.equal(await vends('user-upload', 'issued'), 5)

  await app.inject(vend({ policy: 'nope' }))
  t.equal(await vends('unknown', 'policy_not_found'), 1)
  await app.inject(vend(undefined, { authorization: 'Bearer a.b.c' }))
  await app.inject(form('a.b.c', 'user-upload'))
  t.equal(await vends('unknown', 'unauthenticated'), 2)
  await app.inject(vend({}))
  t.equal(await vends('unknown', 'invalid_request'), 1)
  await app.inject(vend({ policy: 'user-upload', durationSeconds: 43_200 }))
  await post('/v1/presigned-urls', { policy: 'user-upload', operation: 'PutObject', key: 'users/bob/a' })
  t.equal(await vends('user-upload', 'key_not_allowed'), 1)
  await app.inject({ url: '/v1/policies', headers: { authorization } })
  t.equal(await vends('unknown', 'issued'), 0, 'a list is no vend')
})

t.test('a refusal of STS is an outcome', async (t) => {
  const source = { assumeRole: () => Promise.reject(new VendError('upstream_denied')), close: async () => {} }
  const { app, vends } = await start(t, { dependencies: { source } })
  await app.inject(vend())
  t.equal(await vends('user-upload', 'upstream_denied'), 1)
})

t.test('the vends under way are shown, and a client that gives up is counted as 499', async (t) => {
  const { asked, source } = heldSource()
  const { app, metrics, requests, vends } = await start(t, { dependencies: { source } })
  const { port, hostname } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const running = () => metric(metrics, 'oss_vend_vends_running')
  t.equal(await running(), 0)
  const socket = connect({ host: hostname, port: Number(port) })
  const body = '{"policy":"user-upload"}'
  socket.write(
    `POST /v1/credentials HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`,
  )
  await until(async () => (await promisedConnections(app)) === 1)
  t.equal(await running(), 0, 'a request whose body has not come is no load')
  socket.write(body)
  await until(() => asked.length === 1)
  t.equal(await running(), 1)
  socket.destroy()
  await once(socket, 'close')
  await until(async () => (await requests({ route: '/v1/credentials', status: '499' })) === 1)
  t.equal(await running(), 0)
  asked[0]?.pay({ ...SENTINELS, expiresAt: Date.now() + 3_600_000 })
  await until(async () => (await vends('user-upload', 'issued')) === 1)
})

t.test('a client that leaves while its token is checked does not count as load for ever', async (t) => {
  const held: ServerResponse[] = []
  const JWT_JWKS_URL = await listen(t, (_request, response) => void held.push(response))
  const { app, metrics, requests, vends } = await start(t, { env: { JWT_SECRET: '', JWT_JWKS_URL } })
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  await until(() => held.length > 0)
  const token = mint(claims(), { alg: 'RS256', kid: 'one' })
  const path = '/v1/aws/container-credentials/user-upload'
  const left = raw(url, `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\n\r\n`, 'leave')
  await left
  await until(async () => (await requests({ status: '499' })) === 1)
  const jwk = { ...keys.rsa.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }
  for (const response of held) {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ keys: [jwk] }))
  }
  await until(async () => (await vends('user-upload', 'issued')) === 1)
  t.equal(await metric(metrics, 'oss_vend_vends_running'), 0)
})

const promisedConnections = (app: Awaited<ReturnType<typeof build>>['app']) =>
  new Promise<number>((resolve) => app.server.getConnections((_error, count) => resolve(count)))

t.test('no client can make new time series', async (t) => {
  const { app, metrics } = await start(t)
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const send = async (i: number) => {
    await app.inject(vend({ policy: `made-up-${i}` }))
    await app.inject(vend({ policy: `Made "up"\n${i}` }))
    await app.inject({ url: `/v1/aws/container-credentials/made-up-${i}?x=${i}`, headers: { authorization } })
    for (const path of [`/made/up/${i}`, `/v1/credentials/${i}`, `/v1/policies/${i}/explain`, `/%zz${i}`]) {
      await app.inject({ url: path, headers: { authorization: `Bearer ${mint(claims({ sub: `user-${i}` }))}` } })
    }
    const methods = ['PROPFIND', 'M-SEARCH', 'LINK', 'BREW', `X${i}`]
    await raw(url, `${methods[i % methods.length]} /made-up-${i} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
  }
  for (let i = 0; i < 10; i++) await send(i)
  const series = async () => (await metrics.metrics()).split('\n').filter((line) => /^[a-z]/u.test(line)).length
  const before = await series()
  for (let i = 10; i < 40; i++) await send(i)
  t.equal(await series(), before)
  t.notMatch(await metrics.metrics(), /made|PROPFIND|user-1/iu)
})

async function raw({ hostname, port }: URL, bytes: string, then: 'read' | 'leave' = 'read'): Promise<void> {
  const socket = connect({ host: hostname, port: Number(port) })
  if (then === 'read') socket.end(bytes)
  else socket.write(bytes, () => setImmediate(() => socket.resetAndDestroy()))
  socket.resume()
  await once(socket, 'close')
}
