import type { FastifyBaseLogger } from 'fastify'
import type { DestinationStream } from 'pino'
import { Registry } from 'prom-client'
import { awsContainerCredentialsRoutes } from '../routes/aws-container-credentials.ts'
import { awsStsRoutes } from '../routes/aws-sts.ts'
import { credentialsRoutes } from '../routes/credentials.ts'
import { explainRoutes } from '../routes/explain.ts'
import { healthRoutes } from '../routes/health.ts'
import { metricsRoutes } from '../routes/metrics.ts'
import { openapiRoutes } from '../routes/openapi.ts'
import { policiesRoutes } from '../routes/policies.ts'
import { presignedPostsRoutes } from '../routes/presigned-posts.ts'
import { presignedUrlsRoutes } from '../routes/presigned-urls.ts'
import type { Config } from './config/config.ts'
import { countCuts, limitConnections } from './http/connections.ts'
import { createDrain, type Drain } from './http/drain.ts'
import type { App } from './http/fastify.ts'
import { createOverload, type Measure } from './http/overload.ts'
import { registerRateLimits } from './http/rate-limits.ts'
import { createServer } from './http/server.ts'
import { registerIdentity } from './identity/authenticate.ts'
import { createConfiguredKey } from './identity/configured-key.ts'
import { createKeyPool } from './identity/key-server.ts'
import { isFetched } from './identity/key-source.ts'
import { createRemoteKeySet } from './identity/remote-keys.ts'
import type { TrustedKeys } from './identity/trusted-issuer.ts'
import { createVerifiedTokens } from './identity/verified-tokens.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { createRoute, type Pool } from './lib/outbound.ts'
import { packageVersion } from './lib/package-version.ts'
import { connectRedis, type RedisClient, readyWithin } from './lib/redis.ts'
import { createRedisLink } from './lib/redis-link.ts'
import { registerAudit } from './observe/audit/audit.ts'
import { reportKeySets } from './observe/key-sets.ts'
import { reportProxy } from './observe/proxy.ts'
import { reportReloads } from './observe/reloads.ts'
import { showClockOffset } from './observe/sts-clock.ts'
import { countTokenCache } from './observe/token-cache.ts'
import { checkedIssuers } from './policy/check/lint/rule.ts'
import type { Grant } from './policy/grant/grant.ts'
import { cacheKeys, issuerKeys, watchSecrets } from './reload/keys.ts'
import { createLivePolicies } from './reload/policies.ts'
import { createReloads, type Reloader, type Reloads } from './reload/reloads.ts'
import { cacheKey } from './sessions/cache-key.ts'
import { createSeal } from './sessions/seal.ts'
import { createSessions } from './sessions/sessions.ts'
import { createTargets, type SourceOverride, type Target } from './targets.ts'
import { createSigning } from './vending/signing.ts'
import { createVending } from './vending/vending.ts'

/** How long a start waits for Redis, milliseconds. */
const START_MS = 500
/** How often key sets are asked whether it is time to fetch them. */
const TEND_KEYS_MS = 1000

/** Dependencies from outside. The optional ones are for tests and the sandbox. */
export type AppDependencies = Readonly<{
  logger: FastifyBaseLogger
  /** Epoch milliseconds. */
  now?: () => number
  /** Time for everything that is measured or waited for; `now` is its date unless it is given, too. */
  clock?: Clock
  /** From 0 to 1, for jitter. */
  random?: () => number
  /** Used in place of a connection to the configured Redis, and closed with the service. */
  redis?: RedisClient
  /** How grants are told apart in the caches. */
  keyOf?: (grant: Grant) => string
  /** Asked in place of every target's STS, or of each by its name. */
  source?: SourceOverride
  /** Makes the connections to the key server of one issuer. */
  keyPool?: typeof createKeyPool
  /** Where metrics are counted; `/metrics` of the ops listener shows it. */
  metrics?: Registry
  measure?: Measure
  /** Where the logger writes, for audit events that go there too. */
  stdout?: DestinationStream
  /** Whether the weak settings that `readConfig` lets through for a sandbox are let through at run time too. */
  sandbox?: boolean
}>

/** The service before it listens. `ops`, for the operator's network alone, is there when a port is configured for it. */
export type Service = Readonly<{
  app: App
  ops?: App
  stop: Drain['stop']
  /** Reads again, now, what may change while the service runs: policy templates, keys in files, fetched key sets. */
  reload: Reloads['reload']
}>

/**
 * Puts the service together.
 * @throws {CatalogueError} when the policy templates cannot be used
 */
export async function buildApp(config: Config, dependencies: AppDependencies): Promise<Service> {
  const { logger, sandbox = false, metrics = new Registry() } = dependencies
  const { clock = systemClock(dependencies.now), now = clock.now, random = Math.random } = dependencies
  const route = createRoute(config.outbound)
  const { keyPool = createKeyPool } = dependencies
  const targets = createTargets(config, { logger, route, clock, now, random, source: dependencies.source })
  const ofTargets = <T>(part: (target: Target) => T) =>
    new Map([...targets].map(([name, target]) => [name, part(target)]))
  const issuersChecked = checkedIssuers(config.issuers)
  const policies = await createLivePolicies(
    config.policiesDir,
    ofTargets(({ settings }) => ({ ...settings, ...issuersChecked })),
    reportReloads(logger, metrics),
  )
  const reportKeys = reportKeySets({
    logger,
    metrics,
    ages: () =>
      issuers.flatMap(({ issuer: { name }, keys }) =>
        keys.flatMap(({ keySet }) => (keySet ? [{ issuer: name, seconds: keySet.ageSeconds() }] : [])),
      ),
  })
  const keyPools: Pool[] = []
  const issuers = config.issuers.map((issuer) => {
    const onFetch = reportKeys(issuer.name)
    const keys = issuer.keys.map((source): TrustedKeys => {
      const { origin } = source
      if (!isFetched(origin)) return { source, key: createConfiguredKey(source, { sandbox }) }
      const pool = keyPool(origin, route)
      keyPools.push(pool)
      return { source, keySet: createRemoteKeySet(origin, { pool, sandbox, onFetch, now: clock.monotonic }) }
    })
    return { issuer, keys }
  })
  const keySets = issuers.flatMap(({ keys }) => keys.map(({ keySet }) => keySet)).filter((one) => one !== undefined)

  const targetOf = ({ target }: Grant) => {
    const found = targets.get(target)
    if (!found) throw new Error('the grant is for no target')
    return found
  }
  const { keyOf = (grant) => cacheKey(targetOf(grant).scope, grant) } = dependencies
  const redis = dependencies.redis ?? (config.redis && (await connectRedis(config.redis.address, random, route)))
  const seal = config.redis && createSeal(config.redis.encryptionKeys)
  const link = redis && seal && createRedisLink({ redis, clock, logger, metrics })
  const sessions = createSessions(
    {
      ...config.cache,
      ...config.calls,
      deadlineMs: config.vendDeadlineMs,
      newSessionsPerMinute: config.rateLimits.newSessions,
    },
    {
      upstreams: ofTargets(({ upstream }) => upstream),
      keyOf,
      clock,
      random,
      logger,
      metrics,
      shared: link && seal && { link, seal },
    },
  )

  const onCut = countCuts(metrics)
  const app = await createServer(config, logger, onCut)
  const audit = await registerAudit(app, config.audit, { ...dependencies, metrics, clock: { ...clock, now } })
  const { draining, stop } = createDrain(app, clock)
  limitConnections(app, config.maxConnections, metrics)
  const overload = createOverload(config.overload, { logger, metrics, clock, measure: dependencies.measure })
  const verifiedTokens = createVerifiedTokens({
    maxEntries: config.tokenCacheEntries,
    onLookup: countTokenCache(metrics, () => verifiedTokens?.size() ?? 0),
  })
  const verify = audit.noting(
    await registerIdentity(app, issuers, { now, maxTokenBytes: config.maxTokenBytes, verifiedTokens }),
  )
  const shared = link && seal && { link, nameOf: (key: string) => `oss-vend:rate:${seal.names(key)[0]}` }
  const authenticate = registerRateLimits(app, config, verify, { now, metrics, shared })
  // Shed after the limits of addresses and before signatures are checked, which is most of what a request costs.
  app.addHook('onRequest', ({ routeOptions }, _reply, done) => {
    // Probes are exempt from both: they tell how the service is, and now that matters most.
    done(routeOptions.config.rateLimit === false ? undefined : overload.refusal())
  })
  const counter = {
    catalogue: policies.current,
    clock: { ...clock, now },
    sessions,
    minValiditySeconds: config.cache.minValiditySeconds,
    deadlineMs: config.vendDeadlineMs,
    boundToToken: config.sessionBoundToToken,
  }
  const services = {
    authenticate,
    vending: createVending({ ...counter, targets: ofTargets(({ settings }) => settings) }),
    signing: createSigning({ ...counter, targets }),
    ossOf: (grant: Grant) => targetOf(grant).oss,
    // One issuer whose key server is down must not take the callers of the others down with it.
    ready: () =>
      !draining() &&
      !overload.shedding() &&
      issuers.some(({ keys }) => keys.some(({ keySet }) => !keySet || keySet.usable())),
  }
  if (config.docsEnabled) await openapiRoutes(app, packageVersion())
  credentialsRoutes(app, { ...services, now })
  awsContainerCredentialsRoutes(app, services)
  await awsStsRoutes(app, { ...services, now }, { atRoot: config.awsStsAtRoot, maxTokenBytes: config.maxTokenBytes })
  policiesRoutes(app, services)
  explainRoutes(app, services)
  presignedUrlsRoutes(app, services)
  presignedPostsRoutes(app, services)
  healthRoutes(app, services)
  const ops =
    config.opsPort === undefined ? undefined : await createServer({ ...config, corsOrigins: [] }, logger, onCut)
  if (ops) {
    healthRoutes(
      ops,
      services,
      showClockOffset(
        metrics,
        ofTargets(({ stsClock }) => stsClock),
      ),
    )
    metricsRoutes(ops, metrics)
  }

  const stsKeys = [...targets.values()].map(({ keys }) => keys)
  const secrets = [...stsKeys, seal && cacheKeys(config, seal), ...issuerKeys(issuers)]
  const refreshKeys: Reloader = async (why) => {
    if (why !== 'asked') return
    verifiedTokens?.clear()
    await Promise.all(keySets.map((keySet) => keySet.refresh()))
  }
  const reloads = createReloads(
    [policies.look, refreshKeys, audit.reopen, ...watchSecrets(secrets, { logger, metrics })],
    { logger, clock },
  )
  const tendKeys = () => {
    for (const keySet of keySets) keySet.tend()
  }
  let stopTending = () => {}
  let learning: readonly (() => void)[] = []
  app.addHook('onReady', async () => {
    // Or the first callers would find Redis gone. One that really is keeps nobody from starting.
    if (redis) await readyWithin(redis, START_MS, clock)
    reportProxy(logger, config)
    // Not awaited: a key server that hangs must not keep the others waiting, /readyz tells how it went.
    tendKeys()
    // Not by tokens alone: a key that is revoked in a quiet hour must not open for the first caller after it.
    if (keySets.length > 0) stopTending = clock.every(TEND_KEYS_MS, tendKeys)
    learning = [...targets.values()].map(({ learn }) => learn())
    overload.start()
    reloads.start()
  })
  app.addHook('onClose', async () => {
    stopTending()
    overload.close()
    reloads.close()
    for (const stop of learning) stop()
    await sessions.close()
    link?.close()
    redis?.disconnect()
    // Closed after the app, so that it can be asked until the last request is answered.
    await Promise.all([...keyPools.map((pool) => pool.close()), ops?.close()])
  })
  return { app, ...(ops && { ops }), stop, reload: reloads.reload }
}
