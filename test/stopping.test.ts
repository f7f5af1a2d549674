import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import t from 'tap'
import { startSandbox } from '../sandbox/index.ts'
import { sandboxEnvironment } from '../sandbox/local.ts'
import { build, SENTINELS } from './helpers/build.ts'
import { jwk } from './helpers/key-servers.ts'
import { listen } from './helpers/listen.ts'
import { manualTimers } from './helpers/timers.ts'
import { claims, keys, mint } from './helpers/tokens.ts'
import { until } from './helpers/until.ts'
import { heldSource } from './helpers/vending.ts'

t.test('a request that is still being authenticated when the listener closes is answered in full', async (t) => {
  const sandbox = await startSandbox()
  t.teardown(() => sandbox.close())
  const held: ServerResponse[] = []
  const keyServer = await listen(t, (_request, response) => void held.push(response))
  const { JWT_ISSUER, JWT_AUDIENCE, JWT_SECRET, ...jdcloud } = sandboxEnvironment(sandbox)
  const { app, stop } = await build(t, { env: { ...jdcloud, JWT_SECRET: '', JWT_JWKS_URL: keyServer }, realSts: true })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  const vend = fetch(`${url}/v1/credentials`, {
    method: 'POST',
    headers: { authorization: `Bearer ${mint(claims(), { alg: 'RS256' })}`, 'content-type': 'application/json' },
    body: '{"policy":"user-upload"}',
  })
  await until(() => held.length > 0)
  const stopped = stop(0)
  const jwk = { ...keys.rsa.publicKey.export({ format: 'jwk' }), alg: 'RS256' }
  for (const response of held) response.end(JSON.stringify({ keys: [jwk] }))

  t.equal((await vend).status, 200, 'with a call to STS that began after the listener closed')
  await stopped
})

t.test('a connection that was accepted before the listener closed has time for its request', async (t) => {
  const { app, stop } = await build(t)
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const accepted = once(app.server, 'connection')
  const socket = connect(Number(url.port), url.hostname)
  await accepted
  const idle = connect(Number(url.port), url.hostname)
  await once(app.server, 'connection')
  const stopped = stop(0)
  await until(() => !app.server.listening)
  socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')
  let answer = ''
  for await (const chunk of socket.setEncoding('utf8')) answer += chunk
  t.match(answer, /^HTTP\/1.1 200 /u)
  t.match(answer, /^connection: close\r$/imu)
  await stopped
  for await (const chunk of idle) t.fail(String(chunk))
  t.pass('and one on which nothing comes keeps nobody from stopping')
})

t.test('requests that were sent ahead on a connection that broke keep nobody from stopping', async (t) => {
  const { asked, source } = heldSource()
  const { app, stop } = await build(t, { dependencies: { source } })
  const connections = promisify(app.server.getConnections.bind(app.server))
  let begun = 0
  app.addHook('preHandler', async () => void begun++)
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect(Number(url.port), url.hostname)
  const body = '{"policy":"user-upload"}'
  const head = ['POST /v1/credentials HTTP/1.1', 'host: x', `authorization: Bearer ${mint(claims())}`]
  const request = [...head, 'content-type: application/json', `content-length: ${body.length}`, '', body].join('\r\n')
  socket.write(request.repeat(3))
  await until(() => asked.length === 1)
  t.equal(app.unanswered.some(), true)
  socket.resetAndDestroy()
  await until(async () => (await connections()) === 0)
  asked[0]?.pay({ ...SENTINELS, expiresAt: Date.now() + 3_600_000 })
  await until(() => !app.unanswered.some())
  await stop(0)
  t.equal(begun, 1, 'the second and the third were never begun, and Node never says that they are over')
})

t.test('key sets are fetched again by the clock, and no timer outlives the service', async (t) => {
  let fetches = 0
  const keyServer = await listen(t, (_request, response) => {
    fetches++
    response.end(JSON.stringify({ keys: [jwk('a')] }))
  })
  let elapsed = 0
  const timers = manualTimers()
  const clock = { ...timers.clock, monotonic: () => elapsed }
  const env = { JWT_SECRET: '', JWT_JWKS_URL: keyServer }
  const { app } = await build(t, { env, dependencies: { clock } })
  await app.ready()
  const token = mint(claims(), { alg: 'RS256', kid: 'a' })
  await app.inject({ url: '/v1/policies', headers: { authorization: `Bearer ${token}` } })
  t.equal(fetches, 1, 'by now the first fetch is over')
  for (let tick = 0; tick < 10; tick++) await timers.tick(1000)
  t.equal(fetches, 1, 'not before it is time')
  elapsed += 600_000
  await timers.tick(1000)
  await until(() => fetches === 2)
  await app.close()
  t.equal(timers.running(), 0)
})
