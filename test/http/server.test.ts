import { readFile } from 'node:fs/promises'
import t from 'tap'
import { build } from '../helpers/build.ts'
import { sendRaw } from '../helpers/raw.ts'
import { claims, mint } from '../helpers/tokens.ts'

const authorization = `Bearer ${mint(claims({ scope: 'openid oss.upload' }))}`
const vend = {
  method: 'POST' as const,
  url: '/v1/credentials',
  headers: { authorization },
  payload: { policy: 'user-upload' },
}

t.test('POST /v1/credentials answers as the contract says', async (t) => {
  const { app, asked } = await build(t)
  const before = Date.now()
  const response = await app.inject(vend)
  t.equal(response.statusCode, 200)
  t.equal(response.headers['cache-control'], 'no-store')
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  const { credentials, oss, grant } = response.json()
  t.strictSame(Object.keys(credentials), ['accessKey', 'secretKey', 'sessionToken', 'expiration', 'expiresInSeconds'])
  t.match(credentials.expiration, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u)
  const left = Date.parse(credentials.expiration) - before
  t.ok(left > 3_598_000 && left <= 3_600_000 + Date.now() - before, 'rounded down, never up')
  t.ok([3598, 3599, 3600].includes(credentials.expiresInSeconds), 'the same in seconds, never more')
  t.strictSame(oss, {
    endpoint: 'https://s3.cn-north-1.jdcloud-oss.com',
    region: 'cn-north-1',
    bucket: 'test-app',
    prefixes: ['users/alice/'],
    forcePathStyle: true,
    chunkedEncoding: false,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    signatureVersion: 'v4',
  })
  t.strictSame(grant, {
    policy: 'user-upload',
    actions: ['oss:PutObject', 'oss:AbortMultipartUpload'],
    resources: ['jrn:oss:*:111111111111:test-app/users/alice/*'],
    roleSessionName: 'user-upload@alice',
    durationSeconds: 3600,
  })
  t.equal(asked.length, 1)
  t.match(asked[0], { roleSessionName: 'user-upload@alice', durationSeconds: 3600 })
  t.strictSame(JSON.parse(asked[0]?.policy ?? ''), {
    Version: '3',
    Statement: [{ Effect: 'Allow', Action: grant.actions, Resource: grant.resources }],
  })
})

t.test('GET /v1/policies lists what this caller may use, and nothing else', async (t) => {
  const { app } = await build(t)
  const list = async (scope: string) => {
    const headers = { authorization: `Bearer ${mint(claims({ scope }))}` }
    return (await app.inject({ url: '/v1/policies', headers })).json().policies
  }
  const names = async (scope: string) => (await list(scope)).map(({ name }: { name: string }) => name)
  t.strictSame(await names('oss.upload'), ['album-upload', 'user-upload'])
  t.strictSame(await names('oss.files oss.download'), ['shared-download', 'user-files'])
  t.strictSame(await names('openid'), [])
  t.strictSame((await list('oss.upload'))[0], {
    name: 'album-upload',
    description: "Upload into one album of the caller's own folder.",
    durationSeconds: 3600,
    params: {
      type: 'object',
      properties: { album: { type: 'string', pattern: '^(?:[a-z0-9-]{1,40})$', description: 'Album to upload into.' } },
      required: ['album'],
      additionalProperties: false,
    },
  })
})

t.test('x-request-id is taken over when it is well-formed, and always returned', async (t) => {
  const { app, logs } = await build(t)
  const fresh = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/u
  const rows = [
    { given: 'abc-123_x.y', want: 'abc-123_x.y' },
    { given: 'a'.repeat(128), want: 'a'.repeat(128) },
    { given: 'a'.repeat(129), want: fresh },
    { given: 'two words', want: fresh },
    { given: '{"a":1}', want: fresh },
    { given: '', want: fresh },
  ]
  for (const { given, want } of rows) {
    const response = await app.inject({ url: '/nope', headers: { 'x-request-id': given } })
    t.match(response.headers['x-request-id'], want)
    t.equal(response.json().requestId, response.headers['x-request-id'])
  }
  t.match(
    logs.lines().find(({ reqId }) => reqId === 'abc-123_x.y'),
    { msg: 'refused', code: 'not_found' },
  )
})

t.test('CORS is for the configured origins', async (t) => {
  const { app } = await build(t, { env: { CORS_ORIGINS: 'https://app.example.test, http://localhost:5173' } })
  const preflight = (origin: string) =>
    app.inject({
      method: 'OPTIONS',
      url: '/v1/credentials',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    })
  for (const origin of ['https://app.example.test', 'http://localhost:5173']) {
    const { headers, statusCode } = await preflight(origin)
    t.equal(statusCode, 204)
    t.equal(headers['access-control-allow-origin'], origin)
    t.match(headers['access-control-allow-headers'], 'authorization')
    t.notOk(headers['access-control-allow-credentials'])
  }
  for (const origin of ['https://evil.test', 'https://app.example.test.evil.test', 'null']) {
    t.notOk((await preflight(origin)).headers['access-control-allow-origin'], origin)
  }
  const actual = await app.inject({ ...vend, headers: { authorization, origin: 'https://app.example.test' } })
  t.equal(actual.headers['access-control-allow-origin'], 'https://app.example.test')
  t.match(actual.headers['access-control-expose-headers'], 'x-request-id')

  const none = await build(t)
  const refused = await none.app.inject({ ...vend, headers: { authorization, origin: 'https://app.example.test' } })
  t.notOk(refused.headers['access-control-allow-origin'], 'none by default')
})

t.test('the address of a caller is the one that a trusted proxy tells', async (t) => {
  const rows = [
    { trust: '', want: '127.0.0.1' },
    { trust: '1', want: '203.0.113.9' },
    { trust: '2', want: '198.51.100.7' },
    { trust: '127.0.0.1', want: '203.0.113.9' },
    { trust: '127.0.0.0/8, 203.0.113.0/24', want: '198.51.100.7' },
    { trust: '10.0.0.0/8', want: '127.0.0.1' },
  ]
  for (const { trust, want } of rows) {
    const { app, logs } = await build(t, { env: { TRUST_PROXY: trust } })
    await app.inject({ url: '/nope', headers: { 'x-forwarded-for': '198.51.100.7, 203.0.113.9' } })
    t.match(logs.lines().at(-1), { msg: 'answered', req: { address: want } }, `TRUST_PROXY=${trust}`)
  }
})

t.test('security headers are on every answer', async (t) => {
  const { app } = await build(t)
  for (const url of ['/livez', '/nope', '/v1/policies']) {
    const { headers } = await app.inject({ url })
    t.equal(headers['x-content-type-options'], 'nosniff')
    t.equal(headers['content-security-policy'], "default-src 'none';frame-ancestors 'none'")
    t.ok(headers['strict-transport-security'])
    t.notOk(headers['x-powered-by'])
  }
})

t.test('stopping: not ready any more, but who asks is served and told to go', async (t) => {
  const { app, stop } = await build(t)
  t.strictSame((await app.inject({ url: '/readyz' })).json(), { status: 'ready' })
  const stopped = stop(200)
  const ready = await app.inject({ url: '/readyz' })
  t.equal(ready.statusCode, 503)
  t.equal(ready.json().code, 'not_ready')
  t.strictSame((await app.inject({ url: '/livez' })).json(), { status: 'live' })
  const served = await app.inject(vend)
  t.equal(served.statusCode, 200)
  t.equal(served.headers.connection, 'close')
  await stopped
})

t.test('stopping does not wait for sockets on which no whole request comes', async (t) => {
  const { app, stop } = await build(t, { env: { REQUEST_TIMEOUT_MS: '60000' } })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const head = `POST /v1/credentials HTTP/1.1\r\nhost: x\r\n`
  const half = `${head}authorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`
  const sockets = ['', head, half].map((bytes) => sendRaw(url, bytes))
  // One that is answered shows that the others have arrived.
  t.equal((await fetch(`${url}/livez`)).status, 200)
  await stop(0)
  t.strictSame(await Promise.all(sockets), ['', '', ''])
})

t.test('the API description', async (t) => {
  const { app } = await build(t)
  const response = await app.inject({ url: '/openapi.json' })
  const document = response.json()
  t.equal(document.openapi, '3.1.0')
  t.equal(document.info.version, JSON.parse(await readFile('package.json', 'utf8')).version)
  t.test('its request example is one that works', async (t) => {
    const [example] = document.components.schemas.CredentialsRequest.examples
    t.equal((await app.inject({ ...vend, payload: example })).statusCode, 200)
  })

  t.test('is browsable, from the package alone', async (t) => {
    const page = await app.inject({ url: '/docs' })
    t.equal(page.statusCode, 200)
    t.match(page.headers['content-security-policy'], "default-src 'none'")
    const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/gu)].map(([, url]) => `/${url}`)
    t.ok(assets.length > 3)
    for (const url of assets) t.equal((await app.inject({ url })).statusCode, 200, url)
    t.match((await app.inject({ url: '/docs/static/start.js' })).body, "url: 'openapi.json'")
    const slash = await app.inject({ url: '/docs/' })
    t.match([slash.statusCode, slash.headers.location], [308, '../docs'])
  })

  t.test('may be kept by browsers, and is not sent again to those who have it', async (t) => {
    const rows = [
      { url: '/openapi.json', keep: 'no-cache' },
      { url: '/docs', keep: 'no-cache' },
      { url: '/docs/static/swagger-ui-bundle.js', keep: 'public, max-age=3600' },
    ]
    for (const { url, keep } of rows) {
      const { headers } = await app.inject({ url })
      t.equal(headers['cache-control'], keep, url)
      for (const tags of [headers.etag, `W/${headers.etag}`, `"x", ${headers.etag}`]) {
        const again = await app.inject({ url, headers: { 'if-none-match': tags } })
        t.match([again.statusCode, again.body, again.headers.etag], [304, '', headers.etag], `${url} ${tags}`)
      }
      t.equal((await app.inject({ url, headers: { 'if-none-match': '"x"' } })).statusCode, 200)
      const head = await app.inject({ method: 'HEAD', url })
      t.match([head.statusCode, head.body, head.headers.etag], [200, '', headers.etag])
    }
  })
})
