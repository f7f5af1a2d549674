import { createServer } from 'node:tls'
import t, { type Test } from 'tap'
import { createRoute, type Route } from '../../src/lib/outbound.ts'
import { connectRedis, parseRedisUrl } from '../../src/lib/redis.ts'
import { createAuthority, type ServerCertificate } from '../helpers/certificates.ts'

t.test('addresses', async (t) => {
  const one = { kind: 'single', tls: false, nodes: [{ host: 'redis.test', port: 6379 }], db: 0 }
  const rows: { url: string; want: unknown }[] = [
    { url: 'redis://redis.test', want: one },
    { url: 'valkey://redis.test/', want: one },
    { url: 'redis://redis.test:7000/3', want: { ...one, nodes: [{ host: 'redis.test', port: 7000 }], db: 3 } },
    { url: 'redis://[::1]:7000', want: { ...one, nodes: [{ host: '::1', port: 7000 }] } },
    { url: 'rediss://:p%40ss@redis.test', want: { ...one, tls: true, password: 'p@ss' } },
    { url: 'valkeys://me:a:b@redis.test', want: { ...one, tls: true, username: 'me', password: 'a:b' } },
    {
      url: 'redis+sentinel://:secret@a,b:26380/main/2?sentinelPassword=other%21',
      want: {
        kind: 'sentinel',
        tls: false,
        nodes: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 26_380 },
        ],
        db: 2,
        password: 'secret',
        primary: 'main',
        sentinelPassword: 'other!',
      },
    },
    {
      url: 'rediss+cluster://a:7000,b:7001',
      want: {
        kind: 'cluster',
        tls: true,
        nodes: [
          { host: 'a', port: 7000 },
          { host: 'b', port: 7001 },
        ],
        db: 0,
      },
    },
    ...[
      '',
      'redis.test:6379',
      'http://redis.test',
      'REDIS://redis.test',
      'redis://',
      'redis://a,b',
      'redis://a:0',
      'redis://a:65536',
      'redis://a/name',
      'redis://a?x=1',
      'redis://a b',
      'redis://:%zz@a',
      'redis+sentinel://a',
      'redis+sentinel://a/main/x',
      'redis+cluster://a/1',
      'redis+cluster://a,',
      'redis://a/0?sentinelPassword=x',
    ].map((url) => ({ url, want: undefined })),
  ]
  for (const { url, want } of rows) t.strictSame(parseRedisUrl(url), want, url)
})

/** What a connection by TLS to a Redis with this certificate becomes. */
async function connecting(t: Test, certificate: ServerCertificate, route: Route): Promise<string> {
  const server = createServer(certificate, (socket) => socket.on('error', () => {}).resume())
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  const parsed = parseRedisUrl(`rediss://127.0.0.1:${address.port}`)
  if (!parsed) throw new Error('no address of Redis')
  const redis = await connectRedis(parsed, () => 0, route)
  t.teardown(() => {
    redis.disconnect()
    server.close()
  })
  return new Promise((resolve) => {
    redis.once('connect', () => resolve('connected'))
    redis.once('error', (error) => resolve('code' in error ? String(error.code) : error.message))
  })
}

t.test('a Redis by TLS is verified', async (t) => {
  const authority = await createAuthority()
  const good = await authority.certify('127.0.0.1')
  const trusting = createRoute({ noProxy: '', authorities: [authority.pem] })
  t.equal(await connecting(t, good, trusting), 'connected')
  t.equal(await connecting(t, await authority.certify('redis.test'), trusting), 'ERR_TLS_CERT_ALTNAME_INVALID')
  t.match(await connecting(t, good, {}), /^UNABLE_TO_/u, 'only Node trusts no authority of ours')
  t.teardown(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED)
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  t.match(await connecting(t, good, {}), /^UNABLE_TO_/u, 'whatever the environment says')
})
