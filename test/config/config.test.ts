import { readFileSync } from 'node:fs'
import t from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { EX_CONFIG } from '../../src/config/faults.ts'
import { settings } from '../../src/config/settings.ts'
import { environment } from '../helpers/build.ts'
import { configError, faultLines } from '../helpers/config-faults.ts'
import { AUDIENCE, ISSUER, keys } from '../helpers/tokens.ts'

const AES_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => 7 * index ** 2)).toString('base64')

t.test('a missing required setting is named, unset or empty', async (t) => {
  const required = [
    'JWT_ISSUER',
    'JWT_AUDIENCE',
    'JDCLOUD_ACCESS_KEY',
    'JDCLOUD_SECRET_KEY',
    'JDCLOUD_ACCOUNT_ID',
    'JDCLOUD_ROLE_NAME',
    'OSS_REGION',
    'OSS_BUCKET',
  ]
  for (const variable of required) {
    for (const value of [undefined, '']) {
      t.test(`${variable} ${value === '' ? 'empty' : 'unset'}`, async (t) => {
        const [line, ...others] = faultLines({ [variable]: value })
        t.match(line, new RegExp(`^${variable}: is required and must be `, 'u'))
        t.strictSame(others, [])
      })
    }
  }
})

t.test('ten faults are reported together, one line each', async (t) => {
  const error = configError({
    PORT: 'x',
    LOG_LEVEL: 'loud',
    TRUST_PROXY: 'true',
    CORS_ORIGINS: '*',
    JWT_AUDIENCE: ',',
    JWT_SECRET: 'short',
    JDCLOUD_ACCESS_KEY: '',
    JDCLOUD_SECRET_KEY_FILE: '/nowhere',
    JDCLOUD_STS_ENDPOINT: 'http://sts.test',
    OSS_BUCKET: 'Bad',
  })
  const want = [
    'CORS_ORIGINS',
    'JDCLOUD_ACCESS_KEY',
    'JDCLOUD_SECRET_KEY',
    'JDCLOUD_STS_ENDPOINT',
    'JWT_AUDIENCE',
    'JWT_SECRET',
    'LOG_LEVEL',
    'OSS_BUCKET',
    'PORT',
    'TRUST_PROXY',
  ]
  t.strictSame(error?.faults.map(({ variable }) => variable).toSorted(), want)
  t.equal(error?.message.split('\n').length, 11, 'a heading and one line for each fault')
  t.equal(EX_CONFIG, 78)
})

t.test('defaults apply, and an empty variable counts as unset', async (t) => {
  // Also the limits that other tests turn off.
  const optional = /^(?:RATE_LIMIT|OVERLOAD)_|^JDCLOUD_STS_ENDPOINT$/u
  const unset = Object.keys(settings).map((name) => [name, optional.test(name) ? '' : (environment[name] ?? '')])
  const config = readConfig(Object.fromEntries(unset))
  const { policiesDir, ...rest } = config
  t.match(policiesDir, /\/policies$/u)
  t.match(readFileSync(`${policiesDir}/user-upload.yaml`, 'utf8'), 'description:', 'the shipped policies')
  t.strictSame(rest, {
    outbound: { noProxy: '', authorities: [] },
    denyFile: undefined,
    awsStsAtRoot: false,
    host: '127.0.0.1',
    port: 3000,
    opsHost: '127.0.0.1',
    opsPort: undefined,
    docsEnabled: true,
    logLevel: 'info',
    trustProxy: false,
    corsOrigins: [],
    requestTimeoutMs: 10_000,
    maxConnections: 10_000,
    rateLimits: { address: 6000, failedAuthentication: 300, caller: 120, newSessions: 20 },
    overload: { eventLoopDelayMs: 500, heapPercent: 90, rssMb: 0 },
    shutdownDelayMs: 1000,
    issuers: [
      {
        name: 'app',
        issuer: [{ iss: ISSUER }],
        audience: [AUDIENCE],
        audienceClaim: ['aud'],
        subject: { path: ['sub'], type: 'text' },
        clockToleranceSeconds: 5,
        keys: [{ origin: { kind: 'secret', secret: keys.hmac, encoding: 'utf8' }, algorithms: ['HS256'] }],
      },
    ],
    maxTokenBytes: 16_384,
    secretFiles: {},
    targets: [
      {
        name: 'default',
        sts: {
          endpoint: 'https://sts.jdcloud-api.com',
          signHost: undefined,
          accessKey: environment.JDCLOUD_ACCESS_KEY,
          secretKey: environment.JDCLOUD_SECRET_KEY,
          keyCreatedAt: undefined,
          kind: 'jdcloud',
          account: '111111111111',
          role: 'jrn:iam::111111111111:role/test-role',
          minSessionSeconds: 3600,
          maxSessionSeconds: 3600,
          timeZone: 'auto',
        },
        oss: {
          account: '111111111111',
          region: 'cn-north-1',
          endpoint: 'https://s3.cn-north-1.jdcloud-oss.com',
          bucket: 'test-app',
        },
        keyFiles: {},
      },
    ],
    calls: { connectTimeoutMs: 1000, timeoutMs: 4000, connections: 32, maxRps: 100 },
    tokenCacheEntries: 10_000,
    sessionBoundToToken: false,
    vendDeadlineMs: 5000,
    cache: { maxEntries: 100_000, maxBytes: 268_435_456, minValiditySeconds: 900 },
    tracing: undefined,
    audit: { log: 'stdout', chainKeys: [], subjectKeys: [] },
    redis: undefined,
  })
})

t.test('the API page is off in production by default', async (t) => {
  const rows = [
    { env: {}, want: true },
    { env: { NODE_ENV: 'development' }, want: true },
    { env: { NODE_ENV: 'production' }, want: false },
    { env: { NODE_ENV: 'production', DOCS_ENABLED: '' }, want: false },
    { env: { NODE_ENV: 'production', DOCS_ENABLED: 'true' }, want: true },
    { env: { DOCS_ENABLED: 'false' }, want: false },
  ]
  for (const { env, want } of rows) {
    t.equal(readConfig({ ...environment, ...env }).docsEnabled, want, JSON.stringify(env))
  }
  for (const DOCS_ENABLED of ['yes', 'TRUE', '1', ' true']) {
    t.strictSame(faultLines({ DOCS_ENABLED }), ['DOCS_ENABLED: must be true or false'], DOCS_ENABLED)
  }
})

t.test('a shutdown always has time for the last request', async (t) => {
  t.strictSame(faultLines({ VEND_DEADLINE_MS: '8000', SHUTDOWN_DELAY_MS: '1000' }), [])
  t.match(faultLines({ VEND_DEADLINE_MS: '8000', SHUTDOWN_DELAY_MS: '1001' }), [/^SHUTDOWN_DELAY_MS: .* at most 9000/u])
})

t.test('Redis needs a key, because sessions in it are sealed', async (t) => {
  const REDIS_URL = 'rediss://:secret@redis.test'
  t.strictSame(faultLines({ REDIS_URL }), [
    'CACHE_ENCRYPTION_KEY: is required and must be 32 random bytes in base64, or several such keys separated by commas',
  ])
  t.strictSame(faultLines({ REDIS_URL, CACHE_ENCRYPTION_KEY: AES_KEY }), [])
  t.strictSame(readConfig({ ...environment, REDIS_URL, CACHE_ENCRYPTION_KEY: AES_KEY }).redis, {
    address: { kind: 'single', tls: true, nodes: [{ host: 'redis.test', port: 6379 }], db: 0, password: 'secret' },
    encryptionKeys: [Buffer.from(AES_KEY, 'base64')],
  })
})

t.test('reading does not change the environment', async (t) => {
  const given = Object.freeze({ ...environment, PORT: '' })
  readConfig(given)
  t.strictSame(given, { ...environment, PORT: '' })
})
