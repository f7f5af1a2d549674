import { type Server, startServer } from './server.ts'
import { AUDIENCE, ISSUER, type SigningKey } from './tokens.ts'

/** The keys for the benchmarks' STS, which does not check them. */
const STS_KEYS = { JDCLOUD_ACCESS_KEY: 'bench-access-key', JDCLOUD_SECRET_KEY: 'bench-secret-key' } as const

/**
 * The environment of a service that trusts tokens of `key` and calls `stsUrl`, without the limits that a benchmark
 * would reach.
 */
export const serviceEnvironment = (
  { key, stsUrl }: Readonly<{ key: SigningKey; stsUrl: string }>,
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> => ({
  JWT_ISSUER: ISSUER,
  JWT_AUDIENCE: AUDIENCE,
  ...key.environment,
  ...STS_KEYS,
  JDCLOUD_ACCOUNT_ID: '111111111111',
  JDCLOUD_ROLE_NAME: 'test-role',
  JDCLOUD_STS_ENDPOINT: stsUrl,
  OSS_REGION: 'cn-north-1',
  OSS_BUCKET: 'test-app',
  RATE_LIMIT_ADDRESS_PER_MINUTE: '0',
  RATE_LIMIT_FAILED_AUTH_PER_MINUTE: '0',
  RATE_LIMIT_CALLER_PER_MINUTE: '0',
  RATE_LIMIT_NEW_SESSIONS_PER_MINUTE: '0',
  OVERLOAD_EVENT_LOOP_DELAY_MS: '0',
  ...more,
})

/** The service as the image runs it; see {@link build}. */
export const startService = (environment: Readonly<Record<string, string>>): Promise<Server> =>
  startServer({ file: 'dist/src/main.js', env: (port) => ({ ...environment, PORT: String(port) }) })
