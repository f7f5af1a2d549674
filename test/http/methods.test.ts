import t from 'tap'
import { build } from '../helpers/build.ts'
import { sendRaw } from '../helpers/raw.ts'
import { claims, mint } from '../helpers/tokens.ts'

const authorization = `Bearer ${mint(claims())}`

t.test('a method that the resource does not have is 405, with those that it has', async (t) => {
  const { app, asked } = await build(t, { env: { AWS_STS_AT_ROOT: 'true' } })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const rows = [
    { method: 'GET', path: '/v1/credentials', allow: 'POST' },
    { method: 'HEAD', path: '/v1/credentials', allow: 'POST' },
    { method: 'PUT', path: '/v1/credentials', allow: 'POST' },
    { method: 'OPTIONS', path: '/v1/credentials', allow: 'POST' },
    { method: 'TRACE', path: '/v1/credentials', allow: 'POST' },
    { method: 'QUERY', path: '/v1/credentials', allow: 'POST' },
    { method: 'PROPFIND', path: '/v1/credentials', allow: 'POST' },
    { method: 'POST', path: '/v1/policies', allow: 'GET, HEAD' },
    { method: 'DELETE', path: '/livez', allow: 'GET, HEAD' },
    { method: 'GET', path: '/v1/policies/user-upload/explain', allow: 'POST' },
    { method: 'GET', path: '/v1/aws/sts', allow: 'POST' },
    { method: 'GET', path: '/', allow: 'POST' },
    { method: 'HEAD', path: '/v1/aws/container-credentials/user-upload', allow: 'GET' },
    { method: 'GET', path: '/v1/%63redentials?x=1', allow: 'POST' },
    { method: 'POST', path: '/docs/static/index.css', allow: 'GET, HEAD' },
  ]
  for (const { method, path, allow } of rows) {
    t.test(`${method} ${path}`, async (t) => {
      const [head = '', body = ''] = (
        await sendRaw(
          url,
          `${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nconnection: close\r\n\r\n`,
        )
      ).split('\r\n\r\n')
      t.match(head, /^HTTP\/1\.1 405 Method Not Allowed\r\n/u)
      t.match(head, `\r\nallow: ${allow}\r\n`)
      t.match(head, '\r\ncontent-type: application/problem+json; charset=utf-8\r\n')
      t.match(head, '\r\ncache-control: no-store\r\n')
      t.notMatch(head, /www-authenticate/u)
      if (method === 'HEAD') t.equal(body, '')
      else t.match(JSON.parse(body), { status: 405, code: 'method_not_allowed' })
    })
  }
  t.strictSame(asked, [], 'STS was never asked')
})

t.test('no method finds a resource where there is none', async (t) => {
  const { app } = await build(t)
  const rows = ['/', '/v1', '/v1/credentials/', '/v1/Credentials', '/v1/aws/container-credentials', '/*']
  for (const path of rows) {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH'] as const) {
      const { statusCode, headers } = await app.inject({ method, url: path })
      t.match([statusCode, headers.allow], [404, undefined], `${method} ${path}`)
    }
  }
})

t.test('with CORS, preflights answer as before, and other methods are 405', async (t) => {
  const { app } = await build(t, { env: { CORS_ORIGINS: 'https://app.example.test' } })
  const headers = { origin: 'https://app.example.test', 'access-control-request-method': 'POST' }
  const preflight = await app.inject({ method: 'OPTIONS', url: '/v1/credentials', headers })
  t.match([preflight.statusCode, preflight.headers.allow], [204, undefined])
  const refused = await app.inject({ method: 'PUT', url: '/v1/credentials', headers })
  t.match([refused.statusCode, refused.headers.allow], [405, 'POST'])
  t.equal((await app.inject({ method: 'PUT', url: '/nope', headers })).statusCode, 404)
})

t.test('405 counts against the limit of the address, as every answer does', async (t) => {
  const { app } = await build(t, { env: { RATE_LIMIT_ADDRESS_PER_MINUTE: '1' } })
  const get = async () => (await app.inject({ url: '/v1/credentials' })).statusCode
  t.strictSame([await get(), await get()], [405, 429])
})

t.test('the ops listener has 405, too', async (t) => {
  const { ops } = await build(t, { env: { OPS_PORT: '0' } })
  const answer = await ops?.inject({ method: 'POST', url: '/metrics' })
  t.match([answer?.statusCode, answer?.headers.allow], [405, 'GET, HEAD'])
})
