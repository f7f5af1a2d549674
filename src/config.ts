import { readFileSync } from 'node:fs'
import { addressFaults } from './identity/issuer.ts'
import { type ReportFault, readIssuers } from './identity/issuers.ts'
import { nearest } from './nearest.ts'
import { leavesInPlaintext } from './redis.ts'
import { explanations, serviceSettings, tokenSettings, VARIABLES } from './settings.ts'

/** The exit code of a process that was configured wrongly: EX_CONFIG of sysexits.h. */
export const EX_CONFIG = 78

/** Orchestrators kill after ten seconds; the process itself needs some of them. */
const MAX_SHUTDOWN_MS = 9000

/** One thing that is wrong. Never carries the value, which may be a secret. */
export type ConfigFault = Readonly<{ variable: string; rule: string; remedy: string }>

/** All that is wrong with the configuration, told at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly ConfigFault[]

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(({ variable, rule, remedy }) => `  ${variable}: ${rule} (${remedy})`)
    super(['The configuration cannot be used:', ...lines].join('\n'))
    this.faults = faults
  }
}

/** Environment variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The configuration that the rest of the service sees: parsed, checked, immutable. It holds secrets. */
export type Config = ReturnType<typeof readConfig>

/**
 * Reads the configuration from the environment. An empty variable counts as unset.
 *
 * `sandbox` lets through what is too weak for anything but a laptop. It is an argument and not a variable, so that no
 * environment can weaken a service that runs for real.
 *
 * @throws {ConfigError} naming every fault
 */
export function readConfig(env: Environment, { sandbox = false } = {}) {
  const faults: ConfigFault[] = []
  const report = (variable: string, rule: string, remedy: string) => faults.push({ variable, rule, remedy })

  const { raw, secretFiles } = rawValues(env, report)
  for (const [name, meant] of misspelt(env)) report(name, 'is not a variable of this service', `did you mean ${meant}?`)
  const unset = (issues: readonly { path: PropertyKey[] }[]) => {
    for (const name of new Set(issues.map((issue) => String(issue.path[0])))) {
      const explanation = VARIABLES[name] && explanations.get(VARIABLES[name])
      if (explanation && !faults.some(({ variable }) => variable === name || variable === `${name}_FILE`)) {
        report(
          name,
          raw[name] === undefined ? `is required and ${explanation.rule}` : explanation.rule,
          explanation.remedy,
        )
      }
      delete raw[name]
    }
  }

  // What is wrong is dropped and read again as unset, so that one fault does not hide those that depend on the rest.
  const tokensRead = tokenSettings.safeParse(raw)
  if (!tokensRead.success) unset(tokensRead.error.issues)
  const malformed = faults.map(({ variable }) => variable)
  const reportOthers: ReportFault = (variable, ...fault) => {
    if (!malformed.includes(variable)) report(variable, ...fault)
  }
  const issuers = readIssuers(tokensRead.data ?? tokenSettings.parse(raw), reportOthers, sandbox)

  const serviceRead = serviceSettings.safeParse(raw)
  if (!serviceRead.success) unset(serviceRead.error.issues)
  for (const name of ['JDCLOUD_STS_ENDPOINT', 'OSS_ENDPOINT'] as const) {
    const weakOnes = raw[name] === undefined ? [] : addressFaults(raw[name])
    for (const { rule, remedy, weak } of weakOnes) if (!(weak && sandbox)) report(name, rule, remedy)
  }
  // The path belongs to the STS API: one of the operator's, such as a gateway's, would be dropped without a word.
  if (URL.canParse(raw.JDCLOUD_STS_ENDPOINT ?? '') && new URL(raw.JDCLOUD_STS_ENDPOINT ?? '').pathname !== '/') {
    report('JDCLOUD_STS_ENDPOINT', 'must not have a path', 'write scheme, host and port')
  }
  if (!sandbox && raw.CORS_ORIGINS?.split(',').some((origin) => origin.trim() === '*')) {
    report('CORS_ORIGINS', 'must not contain *', "name your app's own origins")
  }
  if (serviceRead.success && serviceRead.data.VEND_DEADLINE_MS + serviceRead.data.SHUTDOWN_DELAY_MS > MAX_SHUTDOWN_MS) {
    const rule = `VEND_DEADLINE_MS and SHUTDOWN_DELAY_MS together must be at most ${MAX_SHUTDOWN_MS}`
    report('SHUTDOWN_DELAY_MS', rule, 'a request that arrives last must be answered before the process is killed')
  }
  const { REDIS_URL: redis, REDIS_ALLOW_PLAINTEXT: plaintextAllowed = false } = serviceRead.data ?? {}
  if (redis && leavesInPlaintext(redis) && !plaintextAllowed && !sandbox) {
    const remedy = 'write rediss:// or, where the network itself keeps others out, set REDIS_ALLOW_PLAINTEXT=true'
    report('REDIS_URL', 'must not leave the machine in plain text', remedy)
  }
  const keyIsFaulty = faults.some(({ variable }) => variable.startsWith('CACHE_ENCRYPTION_KEY'))
  if (serviceRead.data?.REDIS_URL && !serviceRead.data.CACHE_ENCRYPTION_KEY && !keyIsFaulty) {
    const remedy = 'generate one, the same for all replicas: openssl rand -base64 32'
    report('CACHE_ENCRYPTION_KEY', 'is required beside REDIS_URL', remedy)
  }
  if (!serviceRead.success || faults.length > 0) throw new ConfigError(faults)

  const service = serviceRead.data
  const keyFile = secretFiles.JWT_SECRET ?? secretFiles.JWT_PUBLIC_KEY
  return {
    host: service.HOST,
    port: service.PORT,
    opsHost: service.OPS_HOST,
    opsPort: service.OPS_PORT,
    docsEnabled: service.DOCS_ENABLED ?? env.NODE_ENV !== 'production',
    logLevel: service.LOG_LEVEL,
    trustProxy: service.TRUST_PROXY ?? false,
    corsOrigins: service.CORS_ORIGINS,
    requestTimeoutMs: service.REQUEST_TIMEOUT_MS,
    maxConnections: service.MAX_CONNECTIONS,
    /** Requests a minute; 0 is no limit. */
    rateLimits: {
      address: service.RATE_LIMIT_ADDRESS_PER_MINUTE,
      failedAuthentication: service.RATE_LIMIT_FAILED_AUTH_PER_MINUTE,
      caller: service.RATE_LIMIT_CALLER_PER_MINUTE,
      newSessions: service.RATE_LIMIT_NEW_SESSIONS_PER_MINUTE,
    },
    /** What is too much; 0 is never. */
    overload: {
      eventLoopDelayMs: service.OVERLOAD_EVENT_LOOP_DELAY_MS,
      heapPercent: service.OVERLOAD_HEAP_PERCENT,
      rssMb: service.OVERLOAD_RSS_MB,
    },
    shutdownDelayMs: service.SHUTDOWN_DELAY_MS,
    issuers: keyFile === undefined ? issuers : issuers.map((issuer) => ({ ...issuer, keyFile })),
    /** Paths of the secrets that stand in files, by the variable that they are in place of. */
    secretFiles,
    policiesDir: service.POLICIES_DIR,
    sts: {
      endpoint: service.JDCLOUD_STS_ENDPOINT,
      accessKey: service.JDCLOUD_ACCESS_KEY,
      secretKey: service.JDCLOUD_SECRET_KEY,
      roleJrn: `jrn:iam::${service.JDCLOUD_ACCOUNT_ID}:role/${service.JDCLOUD_ROLE_NAME}`,
      maxSessionSeconds: service.JDCLOUD_MAX_SESSION_SECONDS,
      timeZone: service.JDCLOUD_STS_TIME_ZONE,
      connectTimeoutMs: service.STS_CONNECT_TIMEOUT_MS,
      timeoutMs: service.STS_TIMEOUT_MS,
      connections: service.STS_CONNECTIONS,
      maxRps: service.STS_MAX_RPS,
    },
    sessionBoundToToken: service.SESSION_BOUND_TO_TOKEN,
    vendDeadlineMs: service.VEND_DEADLINE_MS,
    cache: {
      maxEntries: service.CACHE_MAX_ENTRIES,
      maxBytes: service.CACHE_MAX_MB * 1024 * 1024,
      minValiditySeconds: service.CACHE_MIN_VALIDITY_SECONDS,
    },
    redis: service.REDIS_URL && {
      address: service.REDIS_URL,
      encryptionKeys: service.CACHE_ENCRYPTION_KEY ?? [],
    },
    oss: {
      account: service.JDCLOUD_ACCOUNT_ID,
      region: service.OSS_REGION,
      endpoint: service.OSS_ENDPOINT ?? `https://s3.${service.OSS_REGION}.jdcloud-oss.com`,
      bucket: service.OSS_BUCKET,
    },
  } as const
}

/** Set variables that are probably meant to be one of ours: a name cut short or mistyped would change nothing, in silence. */
function misspelt(env: Environment): [name: string, meant: string][] {
  const known = Object.keys(VARIABLES)
  const files = known
    .filter((name) => VARIABLES[name] && explanations.get(VARIABLES[name])?.secret)
    .map((name) => `${name}_FILE`)
  return Object.keys(env).flatMap((name): [string, string][] => {
    // Orchestrators set variables of their own making for a service called oss-vend.
    if (!env[name] || name.length < 8 || name.startsWith('OSS_VEND_') || [...known, ...files].includes(name)) return []
    const meant =
      [...known, ...files].find((one) => one.startsWith(name) || name === `${one}_FILE`) ??
      nearest(name, [...known, ...files])
    return meant === undefined ? [] : [[name, meant]]
  })
}

/** The variables that are set, secrets from their files where those are named, and which files these are. */
function rawValues(
  env: Environment,
  report: (...fault: [string, string, string]) => void,
): { raw: Record<string, string | undefined>; secretFiles: Readonly<Record<string, string>> } {
  const raw: Record<string, string | undefined> = {}
  const secretFiles: Record<string, string> = {}
  for (const [name, schema] of Object.entries(VARIABLES)) {
    raw[name] = env[name] || undefined
    const file = explanations.get(schema)?.secret && env[`${name}_FILE`]
    if (!file) continue
    if (raw[name] !== undefined) {
      report(name, `must not be set beside ${name}_FILE`, 'keep one of the two')
      continue
    }
    secretFiles[name] = file
    try {
      raw[name] = readFileSync(file, 'utf8').trim() || undefined
      if (raw[name] === undefined) report(`${name}_FILE`, 'must not name an empty file', 'write the secret into it')
    } catch {
      report(`${name}_FILE`, 'must name a readable file', 'check the path and its permissions')
    }
  }
  return { raw, secretFiles }
}
