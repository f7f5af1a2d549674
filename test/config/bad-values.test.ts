import t from 'tap'
import { configError, faultLines } from '../helpers/config-faults.ts'

const AES_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => 7 * index ** 2)).toString('base64')

const integer = (min: number, max: number) => ({
  rule: `must be a whole number from ${min} to ${max}`,
  bad: [String(min - 1), String(max + 1), '1e3', '0x10', '1.5', ' 1', '1 ', '+1', '１', 'true', '9'.repeat(40)],
  good: [String(min), String(max)],
})

t.test('a fault names variable, rule and remedy; values at the limits are accepted', async (t) => {
  const rows: Record<string, { rule: string; bad: string[]; good: string[] }> = {
    PORT: integer(0, 65_535),
    JWT_CLOCK_TOLERANCE_SECONDS: integer(0, 300),
    JWT_JWKS_MAX_AGE_SECONDS: integer(60, 2_592_000),
    JWT_JWKS_ORIGINS: {
      rule: 'must be https origins such as https://keys.example.com, separated by commas',
      bad: ['keys.test', 'http://keys.test', 'https://keys.test/', 'https://keys.test,x', '*', 'null', ','],
      good: [],
    },
    JWT_MAX_TOKEN_AGE_SECONDS: integer(1, 31_536_000),
    JWT_ALLOWED_TYPES: {
      rule: 'must be values of the typ header, separated by commas',
      bad: [',', 'a b', 'a/b/c', 'é', 'JWT,"x"', 'x'.repeat(65)],
      good: ['JWT', 'absent, JWT,application/at+jwt'],
    },
    SESSION_BOUND_TO_TOKEN: { rule: 'must be true or false', bad: ['1', 'yes', 'TRUE'], good: ['true', 'false'] },
    JDCLOUD_MAX_SESSION_SECONDS: integer(3600, 43_200),
    STS_CONNECT_TIMEOUT_MS: integer(50, 5000),
    STS_TIMEOUT_MS: integer(100, 8000),
    STS_CONNECTIONS: integer(1, 1024),
    STS_MAX_RPS: integer(1, 10_000),
    VEND_DEADLINE_MS: integer(500, 8000),
    CACHE_MAX_ENTRIES: integer(1, 5_000_000),
    CACHE_MAX_MB: integer(1, 65_536),
    CACHE_MIN_VALIDITY_SECONDS: integer(900, 1800),
    CACHE_ENCRYPTION_KEY: {
      rule: 'must be 32 random bytes in base64, or several such keys separated by commas',
      bad: ['secret', AES_KEY.slice(4), `${AES_KEY},short`, Buffer.alloc(32).toString('base64'), ',', 'é'.repeat(22)],
      good: [AES_KEY, `${AES_KEY}, ${Buffer.from(AES_KEY).subarray(0, 32).toString('base64')}`],
    },
    AUDIT_LOG: {
      rule: 'must be stdout, none or the absolute path of a file',
      bad: ['audit.log', './audit.log', 'Stdout', 'off', '/var/log/', '/'],
      good: ['stdout', 'none', '/var/log/audit.log'],
    },
    AUDIT_CHAIN_KEY: {
      rule: 'must be 32 random bytes in base64, or several such keys separated by commas',
      bad: ['secret', AES_KEY.slice(4), Buffer.alloc(32).toString('base64')],
      good: [AES_KEY],
    },
    AUDIT_SUBJECT: { rule: 'must be plain or hmac', bad: ['HMAC', 'none', 'sha256'], good: ['plain'] },
    REDIS_URL: {
      rule: 'must be the address of a Redis or Valkey',
      bad: [
        'redis.test',
        'http://redis.test',
        'redis://',
        'redis://a,b',
        'redis+sentinel://a',
        'redis://a/x',
        'redis://a:0',
      ],
      good: [],
    },
    REQUEST_TIMEOUT_MS: integer(1000, 60_000),
    SHUTDOWN_DELAY_MS: integer(0, 4000),
    RATE_LIMIT_ADDRESS_PER_MINUTE: integer(0, 1_000_000),
    RATE_LIMIT_FAILED_AUTH_PER_MINUTE: integer(0, 1_000_000),
    RATE_LIMIT_CALLER_PER_MINUTE: integer(0, 1_000_000),
    MAX_CONNECTIONS: integer(1, 1_000_000),
    OVERLOAD_EVENT_LOOP_DELAY_MS: integer(0, 60_000),
    OVERLOAD_HEAP_PERCENT: integer(0, 100),
    OVERLOAD_RSS_MB: integer(0, 1_000_000),
    LOG_LEVEL: {
      rule: 'must be fatal, error, warn, info, debug, trace or silent',
      bad: ['INFO', 'verbose', 'info,debug', ' info'],
      good: ['fatal', 'silent'],
    },
    TRUST_PROXY: {
      rule: 'must be a number of proxies from 1 to 99, or addresses and CIDR ranges separated by commas, without host bits, and less than a /6 in all',
      bad: ['0', '-1', '100', 'true', 'loopback', '10.0.0.256', '10.0.0.0/33', 'lb.test', '10.0.0.1;10.0.0.2', ','],
      good: ['1', '99', '10.0.0.0/8', '10.0.0.1, ::1', '2001:db8::/32'],
    },
    CORS_ORIGINS: {
      rule: 'must be origins such as https://app.example.com, separated by commas',
      bad: [
        'app.test',
        'https://app.test/',
        'https://app.test/x',
        'https://*.app.test/',
        'null',
        'https://APP.test',
        '//a',
      ],
      good: ['https://app.test', 'https://app.test:8443, http://localhost:5173'],
    },
    JDCLOUD_ACCESS_KEY: {
      rule: 'must be the access key of the sub-user that may assume the role, without spaces or line breaks',
      bad: ['JDC_FIXTURE\n', 'JDC FIXTURE', 'ключ', 'x'.repeat(257)],
      good: ['JDC_FIXTURE'],
    },
    JDCLOUD_SECRET_KEY: {
      rule: 'must be the secret key that belongs to JDCLOUD_ACCESS_KEY, without spaces or line breaks',
      bad: ['FIXTURE\r\n', ' FIXTURE', '\t'],
      good: ['FIXTURE+/='],
    },
    JDCLOUD_ACCOUNT_ID: {
      rule: 'must be the account number, digits only',
      bad: ['11111111111a', '*', '1'.repeat(21), '1:1', '１'],
      good: ['1', '111111111111'],
    },
    JDCLOUD_ROLE_NAME: {
      rule: 'must be the name of the role to assume',
      bad: ['jrn:iam::111111111111:role/test-role', 'a/b', 'a b', '*', 'x'.repeat(65)],
      good: ['test-role', 'x'.repeat(64)],
    },
    JDCLOUD_KEY_CREATED: {
      rule: 'must be a day such as 2026-01-31',
      bad: ['2026-02-30', '31.1.2026', '2026-01-31T00:00:00Z', '1767225600', 'yesterday'],
      good: ['2026-01-31'],
    },
    OTEL_EXPORTER_OTLP_HEADERS: {
      rule: 'must be headers as name=value, separated by commas',
      bad: ['token', '=x', 'a b=c', 'a=%0d%0ab', 'a=%', 'a=é', 'a=', 'a=b,c'],
      good: ['api-key=x', 'Authorization=Bearer%20x, x-scope=a=b'],
    },
    OTEL_SERVICE_NAME: {
      rule: 'must be a name of letters, digits and _.-',
      bad: ['a b', 'x'.repeat(65), '/'],
      good: ['vend', 'team.vend_1-a'],
    },
    OTEL_TRACES_SAMPLER_ARG: {
      rule: 'must be a number from 0 to 1',
      bad: ['2', '-1', '1.1', '1e-3', '50%', 'NaN'],
      good: ['0', '1', '1.0', '0.25', '.001'],
    },
    OSS_REGION: {
      rule: 'must be a region such as cn-north-1',
      bad: ['*', 'cn-north', 'cn_north_1', 'CN-NORTH-1', 'cn-north-1.evil.test', 'cn-north-1:x'],
      good: ['cn-east-2'],
    },
    OSS_BUCKET: {
      rule: 'must be a bucket name: 3 to 63 of a-z, 0-9 and -',
      bad: ['ab', 'Test-app', 'test_app', '-test', 'test-', 'test-app/x', '*', 'test*', 'test.app', 'a'.repeat(64)],
      good: ['abc', 'a'.repeat(63)],
    },
    JWT_AUDIENCE: { rule: 'must be the aud of your tokens', bad: [',', ' , '], good: ['a', 'a, b'] },
    JWT_ALGORITHMS: {
      rule: 'must be from HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA',
      bad: ['none', 'hs256', 'HS256;HS512', 'HS256,none', ','],
      good: ['HS256', 'HS256, HS512'],
    },
  }
  // A Redis needs a key, also when its address is wrong.
  const beside = { CACHE_ENCRYPTION_KEY: AES_KEY }
  for (const [variable, { rule, bad, good }] of Object.entries(rows)) {
    for (const value of bad) {
      t.test(`${variable}=${JSON.stringify(value).slice(0, 40)}`, async (t) => {
        const env = { ...beside, [variable]: value }
        const error = configError(env)
        const [remedy = ''] = error?.faults.map((fault) => fault.remedy) ?? []
        t.strictSame(faultLines(env), [`${variable}: ${rule}`])
        t.equal(error?.message, `The configuration cannot be used:\n  ${variable}: ${rule} (${remedy})`)
        t.match(remedy, /^.{8,}$/u)
      })
    }
    for (const value of good) {
      t.test(`${variable}=${value.slice(0, 40)} is good`, async (t) => {
        t.strictSame(faultLines({ [variable]: value }), [])
      })
    }
  }
})

t.test('subjects are hidden with a key, and a key is never without effect', async (t) => {
  const key = AES_KEY
  t.strictSame(faultLines({ AUDIT_SUBJECT: 'hmac' }), ['AUDIT_SUBJECT_KEY: is required with AUDIT_SUBJECT=hmac'])
  t.strictSame(faultLines({ AUDIT_SUBJECT: 'hmac', AUDIT_SUBJECT_KEY: key }), [])
  for (const mode of ['plain', '']) {
    t.strictSame(faultLines({ AUDIT_SUBJECT: mode, AUDIT_SUBJECT_KEY: key }), [
      'AUDIT_SUBJECT_KEY: must not be set without AUDIT_SUBJECT=hmac',
    ])
  }
})
