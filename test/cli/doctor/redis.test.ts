import { randomBytes } from 'node:crypto'
import { createServer } from 'node:tls'
import t from 'tap'
import { createAuthority } from '../../helpers/certificates.ts'
import { jwk } from '../../helpers/key-servers.ts'
import { listen } from '../../helpers/listen.ts'
import { needsRedis, redisCluster, redisSentinel, redisServer } from '../../helpers/redis.ts'
import { diagnose, soundCloud } from './harness.ts'

t.test('a Redis and a key set that are right have their ticks', needsRedis, async (t) => {
  const { env } = await soundCloud(t)
  const redis = await redisServer(t, '--requirepass', 'right')
  const set = JSON.stringify({ keys: [jwk('a'), { kty: 'oct' }] })
  const { exitCode, lines } = await diagnose({
    ...env,
    REDIS_URL: `redis://:right@127.0.0.1:${redis.port}`,
    CACHE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    JWT_SECRET: '',
    JWT_JWKS_URL: `${await listen(t, (_request, response) => response.end(set))}/keys`,
  })
  t.equal(exitCode, 0)
  const messageOf = (wanted: string) => lines.find(({ name }) => name === wanted)?.message
  t.match(messageOf('redis'), /answers in plain text, takes the password, and can be written/u)
  t.match(messageOf('issuer app'), /1 key for RS256 or ES256, .*entries that cannot be used: symmetric/u)
})

t.test('a Redis of each kind is tried as the service uses it', needsRedis, async (t) => {
  const { env } = await soundCloud(t)
  const CACHE_ENCRYPTION_KEY = randomBytes(32).toString('base64')
  const lineOf = async (REDIS_URL: string) =>
    (await diagnose({ ...env, CACHE_ENCRYPTION_KEY, REDIS_URL })).lines.find(({ name }) => name === 'redis')
  const primary = await redisServer(t, '--requirepass', 'right')
  const sentinel = await redisSentinel(t, primary, 'right')
  const cluster = await redisCluster(t)
  const replica = await redisServer(t, '--replicaof', '127.0.0.1', '1', '--replica-serve-stale-data', 'yes')
  const rows = [
    { url: `redis+sentinel://:right@127.0.0.1:${sentinel.port}/main`, want: { status: 'passed' } },
    { url: `redis+sentinel://:wrong@127.0.0.1:${sentinel.port}/main`, want: { message: /refuses the password/u } },
    { url: 'redis+sentinel://127.0.0.1:1/main', want: { status: 'failed', message: /cannot reach/u } },
    { url: `redis+cluster://127.0.0.1:${cluster.port}`, want: { status: 'passed' } },
    { url: 'redis+cluster://127.0.0.1:1', want: { status: 'failed', message: /cannot reach 127\.0\.0\.1:1/u } },
    { url: replica.url, want: { status: 'failed', message: /is a replica/u } },
  ]
  for (const { url, want } of rows) t.match(await lineOf(url), want, url)
})

t.test('a Redis by TLS is verified', async (t) => {
  const { env } = await soundCloud(t)
  const authority = await createAuthority()
  const server = createServer(await authority.certify('127.0.0.1'), (socket) => socket.on('error', () => {}).resume())
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  const redis = {
    REDIS_URL: `rediss://127.0.0.1:${address.port}`,
    CACHE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  }
  const { lines } = await diagnose({ ...env, ...redis })
  t.match(
    lines.find(({ name }) => name === 'redis'),
    { status: 'failed', message: /authority that is not trusted here/u, settings: ['EXTRA_CA_FILE'] },
  )
})
