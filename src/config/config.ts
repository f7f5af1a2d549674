import { fileURLToPath } from 'node:url'
import { checkAudit, checkSettings } from './checks.ts'
import { readDenyFile } from './deny-file.ts'
import { type Environment, isComplete, readEnvironment, reportMisspelt } from './environment.ts'
import { ConfigError, type ConfigFault, type ReportFault } from './faults.ts'
import { readIssuers } from './issuers.ts'
import { readOutbound } from './outbound.ts'
import { isOfOneTarget, readTargets } from './targets.ts'

/** The shipped templates. The path is the same from here and from the built code in dist/src/. */
export const SHIPPED_POLICIES = fileURLToPath(new URL('../../policies', import.meta.url))

/** The configuration of the service: parsed, checked, immutable. It contains secrets. */
export type Config = ReturnType<typeof readConfig>

/**
 * Reads the configuration from the environment.
 *
 * `sandbox` allows settings that are safe only on a laptop. It is an argument, not a variable, so no environment can
 * weaken a real service.
 *
 * @throws {ConfigError} with every fault
 */
export function readConfig(env: Environment, { sandbox = false } = {}) {
  const faults: ConfigFault[] = []
  const report: ReportFault = (variable, rule, remedy) => faults.push({ variable, rule, remedy })

  reportMisspelt(env, report)
  const read = readEnvironment(env, report, (name) => !env.TARGETS_FILE || !isOfOneTarget(name))
  const { values, secretFiles } = read
  const issuers = readIssuers(values, { secretFiles, report, sandbox })
  const issuerNames = issuers.map(({ name }) => name)
  // With a faulty issuer left out, its entries would be faults, too.
  const denyFile =
    values.DENY_FILE && faults.length === 0 ? readDenyFile(values.DENY_FILE, issuerNames, report) : undefined
  checkSettings(values, report, sandbox)
  checkAudit(values, env, report)
  const targets = readTargets(env, read, report, sandbox)
  const outbound = readOutbound(values, env, report)
  if (faults.length > 0 || !isComplete(values) || targets.length === 0) throw new ConfigError(faults)

  return {
    host: values.HOST,
    port: values.PORT,
    opsHost: values.OPS_HOST,
    opsPort: values.OPS_PORT,
    docsEnabled: values.DOCS_ENABLED ?? env.NODE_ENV !== 'production',
    logLevel: values.LOG_LEVEL,
    trustProxy: values.TRUST_PROXY ?? false,
    corsOrigins: values.CORS_ORIGINS ?? [],
    awsStsAtRoot: values.AWS_STS_AT_ROOT,
    requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
    maxConnections: values.MAX_CONNECTIONS,
    /** Requests a minute; 0 turns a limit off. */
    rateLimits: {
      address: values.RATE_LIMIT_ADDRESS_PER_MINUTE,
      failedAuthentication: values.RATE_LIMIT_FAILED_AUTH_PER_MINUTE,
      caller: values.RATE_LIMIT_CALLER_PER_MINUTE,
      newSessions: values.RATE_LIMIT_NEW_SESSIONS_PER_MINUTE,
    },
    /** Limits above which requests are shed; 0 turns a limit off. */
    overload: {
      eventLoopDelayMs: values.OVERLOAD_EVENT_LOOP_DELAY_MS,
      heapPercent: values.OVERLOAD_HEAP_PERCENT,
      rssMb: values.OVERLOAD_RSS_MB,
    },
    shutdownDelayMs: values.SHUTDOWN_DELAY_MS,
    issuers,
    maxTokenBytes: values.JWT_MAX_BYTES,
    /** The file of the denylist, as it was read at start. */
    denyFile,
    /** Paths of the secrets in files, by the variable that they replace. */
    secretFiles,
    policiesDir: values.POLICIES_DIR ?? SHIPPED_POLICIES,
    /** Where sessions are for, at least one. */
    targets,
    /** How each target's STS is called. */
    calls: {
      connectTimeoutMs: values.STS_CONNECT_TIMEOUT_MS,
      timeoutMs: values.STS_TIMEOUT_MS,
      connections: values.STS_CONNECTIONS,
      maxRps: values.STS_MAX_RPS,
    },
    outbound,
    tokenCacheEntries: values.JWT_CACHE_ENTRIES,
    sessionBoundToToken: values.SESSION_BOUND_TO_TOKEN,
    vendDeadlineMs: values.VEND_DEADLINE_MS,
    cache: {
      maxEntries: values.CACHE_MAX_ENTRIES,
      maxBytes: values.CACHE_MAX_MB * 1024 * 1024,
      minValiditySeconds: values.CACHE_MIN_VALIDITY_SECONDS,
    },
    /** Traces, if there is a collector to send them to. */
    tracing:
      values.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
        ? undefined
        : {
            endpoint: `${values.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/+$/u, '')}/v1/traces`,
            headers: values.OTEL_EXPORTER_OTLP_HEADERS ?? {},
            serviceName: values.OTEL_SERVICE_NAME,
            sampling: { sampler: values.OTEL_TRACES_SAMPLER, ratio: values.OTEL_TRACES_SAMPLER_ARG },
          },
    audit: {
      /** `stdout`, `none` or a path. */
      log: values.AUDIT_LOG,
      /** The first key of each writes; none: not chained, and subjects are plain. */
      chainKeys: values.AUDIT_CHAIN_KEY ?? [],
      subjectKeys: values.AUDIT_SUBJECT_KEY ?? [],
    },
    redis: values.REDIS_URL && {
      address: values.REDIS_URL,
      encryptionKeys: values.CACHE_ENCRYPTION_KEY ?? [],
    },
  } as const
}
