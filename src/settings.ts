import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import {
  ALGORITHMS,
  JWKS_MAX_AGE_SECONDS,
  jwksOriginSchema,
  MAX_TOKEN_AGE_SECONDS,
  tokenType,
} from './identity/issuer.ts'
import { shapeFault } from './lib/secret-shape.ts'
import { isStrongSecret } from './lib/secret-strength.ts'
import { readRanges } from './limits/trusted-proxies.ts'
import { parseRedisUrl } from './redis.ts'
import { TIME_ZONES } from './sts/expiration.ts'

/** What to say when a variable is wrong, and whether it is a secret, which `<NAME>_FILE` may then name a file for. */
export type Explanation = Readonly<{ rule: string; remedy: string; secret?: true }>

/** The explanation of each schema below. */
export const explanations = z.registry<Explanation>()

function explain<S extends z.ZodType>(schema: S, explanation: Explanation): S {
  // A copy: two variables that share one schema would share its explanation too.
  const own = schema.clone()
  explanations.add(own, explanation)
  return own
}

const setting = <S extends z.ZodType>(schema: S, rule: string, remedy: string) => explain(schema, { rule, remedy })
const secret = <S extends z.ZodType>(schema: S, rule: string, remedy: string) =>
  explain(schema, { rule, remedy, secret: true })

const integerFrom = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/u)
    .transform(Number)
    .pipe(z.int().min(min).max(max))

function integer(min: number, max: number, fallback: number, remedy: string) {
  const schema = integerFrom(min, max).prefault(String(fallback))
  return setting(schema, `must be a whole number from ${min} to ${max}`, remedy)
}

const text = z.string().min(1)
/** JD Cloud's long-lived keys. */
// A line break that came along with the key would make every signature wrong, and only STS would say so.
const KEY_TEXT = /^[\x21-\x7e]{1,256}$/u
/** Whether a text can be a key of JD Cloud, and is no path, address, token or key of another kind. */
export const isKeyText = (value: string) => KEY_TEXT.test(value) && shapeFault(value) === undefined
const keyText = z.string().refine(isKeyText)
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)
const AES_KEY_BYTES = 32
/** Random bytes are never all printable: this is a text that somebody thought of. */
const isGuessableText = (key: Buffer) => {
  const text = key.toString('latin1')
  return /^[\x20-\x7e]*$/u.test(text) && (shapeFault(text) !== undefined || !isStrongSecret(text))
}
const aesKey = z
  .base64()
  .transform((value) => Buffer.from(value, 'base64'))
  // Zeros, or a few characters typed by hand, are no key.
  .refine((key) => key.length === AES_KEY_BYTES && new Set(key).size >= 16 && !isGuessableText(key))
const origin = z.string().refine((value) => value === '*' || (URL.canParse(value) && new URL(value).origin === value))

// Built code lives one directory deeper, in dist/.
const shippedPolicies = fileURLToPath(
  new URL(import.meta.url.includes('/dist/src/') ? '../../policies' : '../policies', import.meta.url),
)

/** Variables about tokens. Each may be absent: which ones belong together is for `readIssuers` to say. */
export const tokenSettings = z.object({
  JWT_ISSUERS_FILE: setting(
    text.optional(),
    'must be the path of a YAML or JSON file',
    'see "Several issuers" in docs/configuration.md',
  ),
  JWT_ISSUER: setting(text.optional(), 'must be the iss of your tokens', 'copy it from a decoded token'),
  JWT_AUDIENCE: setting(
    list.pipe(z.array(text).min(1)).optional(),
    'must be the aud of your tokens',
    'separate several with commas',
  ),
  JWT_ALGORITHMS: setting(
    list.pipe(z.array(z.enum(ALGORITHMS)).min(1)).optional(),
    `must be from ${ALGORITHMS.join(', ')}`,
    'name those that your issuer signs with, with commas between',
  ),
  JWT_SECRET: secret(
    text.optional(),
    'must be the HMAC secret of your tokens',
    'leave it out for signed-by-key tokens',
  ),
  JWT_PUBLIC_KEY: secret(
    text.optional(),
    'must be a PEM public key',
    'give the SPKI block; \\n is read as a line break',
  ),
  JWT_JWKS_URL: setting(
    text.optional(),
    'must be the address of a key set (JWKS)',
    'leave it out to discover it from JWT_ISSUER',
  ),
  JWT_JWKS_ORIGINS: setting(
    list.pipe(z.array(jwksOriginSchema).min(1)).optional(),
    'must be https origins such as https://keys.example.com, with commas between',
    'name where your issuer keeps its key set, without a path, when that is not at its own host',
  ),
  JWT_JWKS_MAX_AGE_SECONDS: integer(
    JWKS_MAX_AGE_SECONDS.least,
    JWKS_MAX_AGE_SECONDS.most,
    86_400,
    'give the age after which a key set verifies nothing until it is fetched again',
  ),
  JWT_CLOCK_TOLERANCE_SECONDS: integer(0, 300, 5, 'keep it as small as your clocks allow'),
  JWT_ALLOWED_TYPES: setting(
    list.pipe(z.array(tokenType).min(1)).optional(),
    'must be values of the typ header, with commas between',
    'name those of your access tokens, absent for none; leave it out for absent,JWT,at+jwt',
  ),
  JWT_MAX_TOKEN_AGE_SECONDS: setting(
    integerFrom(1, MAX_TOKEN_AGE_SECONDS).optional(),
    `must be a whole number from 1 to ${MAX_TOKEN_AGE_SECONDS}`,
    'give the age from which a token is refused whatever its exp says, or leave it out for none',
  ),
})

/** Variables about everything else. */
export const serviceSettings = z.object({
  HOST: setting(text.default('127.0.0.1'), 'must be an address to listen on', 'use 0.0.0.0 in a container'),
  PORT: integer(0, 65_535, 3000, 'choose the port to listen on'),
  OPS_PORT: setting(
    integerFrom(0, 65_535).optional(),
    'must be a whole number from 0 to 65535',
    'choose the port of /metrics, or leave it out for none',
  ),
  OPS_HOST: setting(
    text.default('127.0.0.1'),
    'must be an address to listen on',
    'name one that only the operator reaches, or use 0.0.0.0 in a container',
  ),
  DOCS_ENABLED: setting(
    z.stringbool({ truthy: ['true'], falsy: ['false'], case: 'sensitive' }).optional(),
    'must be true or false',
    'leave it out for false where NODE_ENV=production, and true elsewhere',
  ),
  LOG_LEVEL: setting(
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    'must be fatal, error, warn, info, debug, trace or silent',
    'leave it out for info',
  ),
  TRUST_PROXY: setting(
    z
      .union([
        z
          .string()
          .regex(/^[1-9]\d?$/u)
          .transform(Number),
        list.transform((items, context) => {
          const ranges = readRanges(items)
          if (ranges) return ranges
          context.addIssue({ code: 'custom', message: 'are not ranges to trust' })
          return z.NEVER
        }),
      ])
      .optional(),
    'must be a number of proxies from 1 to 99, or addresses and CIDR ranges with commas between, without host bits, and less than a /6 in all',
    'name your load balancers alone: a trusted address chooses the address that a caller seems to have',
  ),
  CORS_ORIGINS: setting(
    list.pipe(z.array(origin)).default([]),
    'must be origins such as https://app.example.com, with commas between',
    'write scheme and host, without a path',
  ),
  RATE_LIMIT_ADDRESS_PER_MINUTE: integer(
    0,
    1_000_000,
    6000,
    'give the requests a minute that one address may make, or 0 for no limit',
  ),
  RATE_LIMIT_FAILED_AUTH_PER_MINUTE: integer(
    0,
    1_000_000,
    300,
    'give the bad tokens a minute that one address may present, or 0 for no limit',
  ),
  RATE_LIMIT_CALLER_PER_MINUTE: integer(
    0,
    1_000_000,
    120,
    'give the requests a minute that one caller may make, or 0 for no limit',
  ),
  RATE_LIMIT_NEW_SESSIONS_PER_MINUTE: integer(
    0,
    1_000_000,
    20,
    'give the new sessions a minute that one caller may cause, or 0 for no limit',
  ),
  MAX_CONNECTIONS: integer(1, 1_000_000, 10_000, 'give the most connections to hold at a time'),
  OVERLOAD_EVENT_LOOP_DELAY_MS: integer(0, 60_000, 500, 'give the delay from which requests are shed, or 0 for never'),
  OVERLOAD_HEAP_PERCENT: integer(0, 100, 90, "give the share of Node's heap limit, or 0 for never"),
  OVERLOAD_RSS_MB: integer(0, 1_000_000, 0, "give a little less than the container's memory limit, or 0 for never"),
  JDCLOUD_ACCESS_KEY: secret(
    keyText,
    'must be the access key of the sub-user that may assume the role, without spaces or line breaks',
    'create it in the IAM console',
  ),
  JDCLOUD_SECRET_KEY: secret(
    keyText,
    'must be the secret key that belongs to JDCLOUD_ACCESS_KEY, without spaces or line breaks',
    'copy it when the access key is created',
  ),
  JDCLOUD_ACCOUNT_ID: setting(
    z.string().regex(/^\d{1,20}$/u),
    'must be the account number, digits only',
    'see the account page of the console',
  ),
  JDCLOUD_ROLE_NAME: setting(
    z.string().regex(/^[A-Za-z0-9+=,.@_-]{1,64}$/u),
    'must be the name of the role to assume',
    'give the name, not the JRN',
  ),
  JDCLOUD_STS_ENDPOINT: setting(
    text.default('https://sts.jdcloud-api.com'),
    'must be the address of STS',
    'leave it out for JD Cloud',
  ),
  JDCLOUD_MAX_SESSION_SECONDS: integer(3600, 43_200, 3600, "give the role's maximum session duration"),
  JDCLOUD_STS_TIME_ZONE: setting(
    z.enum(['auto', ...TIME_ZONES]).default('auto'),
    'must be auto, UTC or +08:00',
    'leave it out to learn it from STS',
  ),
  OSS_REGION: setting(
    z.string().regex(/^[a-z]{2}-[a-z]+-\d{1,2}$/u),
    'must be a region such as cn-north-1',
    "give the bucket's region",
  ),
  OSS_ENDPOINT: setting(
    text.optional(),
    'must be the address of OSS as clients reach it',
    "leave it out for the region's public endpoint",
  ),
  OSS_BUCKET: setting(
    z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/u),
    'must be a bucket name: 3 to 63 of a-z, 0-9 and -',
    'give the name alone, without a path',
  ),
  POLICIES_DIR: setting(
    text.default(shippedPolicies),
    'must be a directory of policy templates',
    'mount your own, or leave it out for the shipped ones',
  ),
  STS_CONNECT_TIMEOUT_MS: integer(50, 5000, 1000, 'give the time to connect to STS'),
  STS_TIMEOUT_MS: integer(100, 8000, 4000, 'give the time for a whole STS call'),
  STS_CONNECTIONS: integer(1, 1024, 32, 'give the most connections to keep to STS'),
  STS_MAX_RPS: integer(
    1,
    10_000,
    100,
    'give the calls a second that your account may make, less what others of it need',
  ),
  SESSION_BOUND_TO_TOKEN: setting(
    z
      .enum(['true', 'false'])
      .default('false')
      .transform((value) => value === 'true'),
    'must be true or false',
    'with true no session ends after its token, and a token needs more than an hour left: see docs/configuration.md',
  ),
  VEND_DEADLINE_MS: integer(500, 8000, 5000, 'give the most time that a caller waits for credentials'),
  CACHE_MAX_ENTRIES: integer(1, 5_000_000, 100_000, 'give the most sessions to hold in memory'),
  CACHE_MAX_MB: integer(1, 65_536, 256, 'give the most memory for sessions, in MiB'),
  CACHE_MIN_VALIDITY_SECONDS: integer(900, 1800, 900, 'give what a session must still have when it is handed out'),
  REDIS_URL: secret(
    z
      .string()
      .transform((url, context) => {
        const address = parseRedisUrl(url)
        if (address) return address
        context.addIssue({ code: 'custom', message: 'is not an address of Redis' })
        return z.NEVER
      })
      .optional(),
    'must be the address of a Redis or Valkey',
    'write rediss://:password@host:6379; for Sentinel and Cluster see docs/configuration.md',
  ),
  REDIS_ALLOW_PLAINTEXT: setting(
    z
      .enum(['true', 'false'])
      .default('false')
      .transform((value) => value === 'true'),
    'must be true or false',
    'leave it out, and reach Redis by TLS',
  ),
  CACHE_ENCRYPTION_KEY: secret(
    list.pipe(z.array(aesKey).min(1)).optional(),
    `must be ${AES_KEY_BYTES} random bytes in base64, or several such keys with commas between`,
    'generate one: openssl rand -base64 32',
  ),
  REQUEST_TIMEOUT_MS: integer(1000, 60_000, 10_000, 'give the time in which a whole request must have arrived'),
  SHUTDOWN_DELAY_MS: integer(0, 4000, 1000, 'give the time that a load balancer needs to see /readyz fail'),
})

/** Every environment variable that the service reads, with its schema. */
export const VARIABLES: Readonly<Record<string, z.ZodType>> = { ...tokenSettings.shape, ...serviceSettings.shape }
