import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import t from 'tap'
import { environment, SENTINELS } from './helpers/build.ts'
import { collector } from './helpers/collector.ts'
import { listen } from './helpers/listen.ts'
import { ended, listening, start } from './helpers/process.ts'
import { claims, keys, mint } from './helpers/tokens.ts'

t.test('a configuration that cannot be used ends with 78 and all its faults', async (t) => {
  const { code, output } = await ended(
    start(t, { ...environment, OSS_BUCKET: '', PORT: 'x', JWT_SECRET: 'SENTINEL-short' }),
  )
  t.equal(code, 78)
  for (const name of ['OSS_BUCKET', 'PORT', 'JWT_SECRET']) t.match(output, `  ${name}: `)
  t.notMatch(output, /SENTINEL/u)
})

t.test('policies that cannot be used end with 78 and the place', async (t) => {
  const policies = t.testdir({ 'mine.yaml': 'description: d\nallow: {}\n' })
  const { code, output } = await ended(start(t, { ...environment, POLICIES_DIR: policies }, policies))
  t.equal(code, 78)
  t.match(output, `${policies}/mine.yaml:2:1: error schema: allow: must have at least one condition`)
})

t.test('a port that is taken ends with 1 and says so', async (t) => {
  const url = new URL(await listen(t, () => {}))
  const { code, output } = await ended(start(t, { ...environment, PORT: url.port }))
  t.equal(code, 1)
  t.match(output, 'EADDRINUSE')
})

t.test('the ops listener has an address of its own, which is loopback', async (t) => {
  const rows = [
    { env: {}, want: '127.0.0.1' },
    { env: { OPS_HOST: '127.0.0.3' }, want: '127.0.0.3' },
  ]
  for (const { env, want } of rows) {
    const child = start(t, { ...environment, HOST: '127.0.0.2', PORT: '0', OPS_PORT: '0', ...env })
    // It listens first.
    t.equal(new URL(await listening(child)).hostname, want)
    child.kill()
  }
})

t.test('SIGTERM: readiness fails, what is in flight is answered, exit 0', async (t) => {
  const waiting: ServerResponse[] = []
  const asked = new Promise<void>((resolve) => {
    t.context.asked = resolve
  })
  const endpoint = await listen(t, (_request, response) => {
    waiting.push(response)
    t.context.asked()
  })
  const child = start(t, { ...environment, PORT: '0', JDCLOUD_STS_ENDPOINT: endpoint, SHUTDOWN_DELAY_MS: '700' })
  const url = await listening(child)
  t.equal((await fetch(`${url}/readyz`)).status, 200)
  const vend = fetch(`${url}/v1/credentials`, {
    method: 'POST',
    headers: { authorization: `Bearer ${mint(claims())}`, 'content-type': 'application/json' },
    body: '{"policy":"user-upload"}',
  })
  await asked

  const exit = once(child, 'exit')
  const signalled = Date.now()
  child.kill('SIGTERM')
  child.kill('SIGTERM') // impatience changes nothing
  let ready = 200
  while (ready === 200) ready = (await fetch(`${url}/readyz`)).status
  t.equal(ready, 503, 'while it still listens')

  const expiration = new Date(Date.now() + 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
  const { accessKey, secretKey, sessionToken } = SENTINELS
  const body = JSON.stringify({
    requestId: 'r',
    result: { credentials: { accessKey, secretKey, sessionToken, expiration } },
  })
  for (const response of waiting) response.end(body)
  const answer = await vend
  t.equal(answer.status, 200)
  t.match(await answer.json(), { credentials: { accessKey } })
  t.strictSame(await exit, [0, null])
  t.ok(Date.now() - signalled < 10_000)
})

t.test('SIGTERM: the last spans are sent, and a collector that hangs keeps no process from ending', async (t) => {
  for (const hangs of [false, true]) {
    const to = await collector(t)
    if (hangs) to.state.answer = undefined
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: to.url, SHUTDOWN_DELAY_MS: '0' }
    const child = start(t, { ...environment, PORT: '0', ...env })
    t.equal((await fetch(`${await listening(child)}/v1/policies`)).status, 401)
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    t.strictSame(await exit, [0, null])
    t.equal(to.span('GET /v1/policies').attributes['error.type'], 'unauthenticated')
  }
})

t.test('SIGHUP: what has changed in a file is read again, and the service goes on', async (t) => {
  const dir = t.testdir({ secret: keys.hmac })
  const env = { ...environment, PORT: '0', JWT_SECRET: '', JWT_SECRET_FILE: `${dir}/secret` }
  const child = start(t, env, dir)
  const url = await listening(child)
  const status = async (token: string) =>
    (await fetch(`${url}/v1/policies`, { headers: { authorization: `Bearer ${token}` } })).status
  const old = mint(claims())
  t.equal(await status(old), 200)
  const next = 'the-secret-that-comes-next-of-more-than-thirty-two-bytes-0123'
  await writeFile(`${dir}/secret`, next)
  const signalled = Date.now()
  child.kill('SIGHUP')
  while ((await status(old)) === 200);
  t.ok(Date.now() - signalled < 1900, 'sooner than by the clock, which wants two looks')
  t.equal(await status(old), 401)
  t.equal(await status(mint(claims(), {}, next)), 200)
})
