import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import type { Environment } from '../../../src/config/environment.ts'
import { environment, SENTINELS } from '../../helpers/build.ts'
import { listen } from '../../helpers/listen.ts'
import { doctor } from './harness.ts'

const SECRETS = {
  ...SENTINELS,
  hmac: 'SENTINEL-hmac-secret-of-more-than-thirty-two-bytes-0123456789',
  redis: 'SENTINEL-redis-password',
  proxy: 'SENTINEL-proxy-password',
  query: 'SENTINEL-query-of-a-key-server',
}

/** Everything that the doctor prints: for people and for machines, with and without writing. */
async function everything(env: Environment): Promise<string> {
  const texts: string[] = []
  for (const probe of [false, true]) {
    for (const json of [false, true]) {
      const { out, err } = await doctor(env, { probe, json })
      texts.push(out, err)
    }
  }
  return texts.join('\n')
}

/** A server that writes all that it is sent into each place of its answer. */
const echo = (t: Test, status: number, document: (sent: string) => string) =>
  listen(t, (request, response) => {
    const { authorization = '', 'x-amz-security-token': token = '' } = request.headers
    const [, accessKey = ''] = /Credential=([^/]+)/u.exec(authorization) ?? []
    request.resume().on('end', () => {
      const region = String(token || accessKey || 'SENTINEL')
      response.writeHead(status, { 'x-amz-bucket-region': region, location: region })
      response.end(document(`${accessKey} ${token} ${Object.values(SECRETS).join(' ')}`))
    })
  })

const xml = (text: string) =>
  `<?xml version="1.0"?><Error><Code>${text}</Code><Message>${text}</Message><Region>${text}</Region><Endpoint>${text}</Endpoint></Error>`
const stsError = (text: string) =>
  JSON.stringify({ requestId: text.split(' ')[0], error: { code: 403, status: text, message: text } })

/** An STS that gives sentinels. */
async function givesSentinels(t: Test): Promise<string> {
  const expiration = new Date(Date.now() + 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
  const { accessKey, secretKey, sessionToken } = SENTINELS
  const credentials = { accessKey, secretKey, sessionToken, expiration }
  return listen(t, (_request, response) => response.end(JSON.stringify({ result: { credentials } })))
}

/** A Redis that answers every command with this error. */
async function redisThatSays(t: Test, line: string): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).on('data', () => socket.write(`${line}\r\n`)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return address.port
}

const cacheKey = randomBytes(32).toString('base64')

const base: Environment = {
  ...environment,
  JWT_SECRET: SECRETS.hmac,
  JWT_JWKS_URL: `http://127.0.0.1:1/keys?code=${SECRETS.query}`,
  HTTPS_PROXY: `http://me:${SECRETS.proxy}@127.0.0.1:1`,
  CORS_ORIGINS: 'https://app.example.com',
  CACHE_ENCRYPTION_KEY: cacheKey,
}

for (const { name, plant, told } of [
  {
    name: 'STS refuses and quotes what it was sent',
    told: /✗ keys .*\(other, 403\)/u,
    plant: async (t: Test) => ({ JDCLOUD_STS_ENDPOINT: await echo(t, 403, stsError) }),
  },
  {
    name: 'OSS refuses and quotes what it was sent',
    told: /✗ bucket .*\(status 403\)/u,
    plant: async (t: Test) => ({
      JDCLOUD_STS_ENDPOINT: await givesSentinels(t),
      OSS_ENDPOINT: await echo(t, 403, xml),
    }),
  },
  {
    name: 'OSS redirects and quotes what it was sent',
    told: /✗ bucket .*\(status 301\)/u,
    plant: async (t: Test) => ({
      JDCLOUD_STS_ENDPOINT: await givesSentinels(t),
      OSS_ENDPOINT: await echo(t, 301, xml),
    }),
  },
  {
    name: 'OSS names a region that is what it was sent',
    told: /✗ bucket .*not in cn-north-1 but in another region/u,
    plant: async (t: Test) => ({
      JDCLOUD_STS_ENDPOINT: await givesSentinels(t),
      OSS_ENDPOINT: await echo(
        t,
        301,
        (text) => `<Error><Code>PermanentRedirect</Code><Region>${text.trim().split(' ')[0]}</Region></Error>`,
      ),
    }),
  },
  {
    name: 'OSS gives everything that it was sent',
    told: /✗ bucket .*not in cn-north-1/u,
    plant: async (t: Test) => ({
      JDCLOUD_STS_ENDPOINT: await givesSentinels(t),
      OSS_ENDPOINT: await echo(
        t,
        200,
        (text) => `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${text}</LocationConstraint>`,
      ),
    }),
  },
  {
    name: 'a proxy refuses',
    told: /✗ sts .*PROXY_ECONNREFUSED/u,
    plant: async () => ({ JDCLOUD_STS_ENDPOINT: 'https://sts.example.test', OSS_ENDPOINT: 'https://oss.example.test' }),
  },
  {
    name: 'the configuration is faulty everywhere',
    told: /✗ configuration /u,
    plant: async () => ({
      JDCLOUD_SECRET_KEY: `${SECRETS.stsSecretKey} with a space`,
      OSS_BUCKET: 'SENTINEL_bucket',
      REDIS_URL: `rediss:/:${SECRETS.redis}@redis`,
      PORT: 'SENTINEL',
    }),
  },
]) {
  t.test(`no secret is printed when ${name}`, async (t) => {
    const port = await redisThatSays(t, `-WRONGPASS ${Object.values(SECRETS).join(' ')}`)
    const REDIS_URL = `redis://:${SECRETS.redis}@127.0.0.1:${port}`
    const text = await everything({ ...base, REDIS_URL, ...(await plant(t)) })
    t.match(text, told, 'there is something to tell')
    t.notMatch(text, /SENTINEL/u)
    t.notOk(text.includes(cacheKey))
    for (const secret of Object.values(SECRETS)) {
      t.notOk(text.includes(Buffer.from(secret).toString('base64').slice(0, 16)), 'nor in base64')
    }
  })
}
