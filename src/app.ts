import type { FastifyBaseLogger } from 'fastify'
import type { DestinationStream } from 'pino'
import { healthRoutes } from '../routes/health.ts'
import { metricsRoutes } from '../routes/metrics.ts'
import { registerRoutes } from '../routes/routes.ts'
import type { Config } from './config/config.ts'
import { createDenying } from './denylist/denying.ts'
import { limitConnections } from './http/connections.ts'
import { createDrain, type Drain } from './http/drain.ts'
import type { App } from './http/fastify.ts'
import { createOverload, type Measure, shedLoad } from './http/overload.ts'
import { registerRateLimits } from './http/rate-limits.ts'
import { observeRequests } from './http/requests.ts'
import { createServer } from './http/server.ts'
import { traceRequests } from './http/traces.ts'
import { registerIdentity, traced } from './identity/authenticate.ts'
import type { createKeyPool } from './identity/key-server.ts'
import { createTrustedIssuers } from './identity/trusted-issuers.ts'
import { createVerifiedTokens } from './identity/verified-tokens.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { createRoute } from './lib/outbound.ts'
import type { RedisClient } from './lib/redis.ts'
import { registerAudit } from './observe/audit/audit.ts'
import { reportDenylist } from './observe/denylist.ts'
import { httpMetrics } from './observe/http.ts'
import { reportKeySets } from './observe/key-sets.ts'
import { reportProxy } from './observe/proxy.ts'
import { redisMetrics } from './observe/redis.ts'
import { createRegistry, type Registry } from './observe/registry.ts'
import { reportReloads } from './observe/reloads.ts'
import { countSecrets } from './observe/secrets.ts'
import { showKeyAges, showReady } from './observe/service.ts'
import { sessionMetrics } from './observe/sessions.ts'
import { showClockOffset } from './observe/sts-clock.ts'
import { countTokenCache } from './observe/token-cache.ts'
import { startTraces } from './observe/tracing.ts'
import { checkedIssuers } from './policy/check/lint/rule.ts'
import type { Grant } from './policy/grant/grant.ts'
import { cacheKeys, issuerKeys, watchSecrets } from './reload/keys.ts'
import { createLivePolicies } from './reload/policies.ts'
import { createReloads, type Reloader, type Reloads } from './reload/reloads.ts'
import { cacheKey } from './sessions/cache-key.ts'
import { createSessions } from './sessions/sessions.ts'
import { connectShared } from './sessions/shared-redis.ts'
import { createTargets, mapTargets, type SourceOverride, targetFinder } from './targets.ts'
import { createSigning } from './vending/signing.ts'
import { createVending } from './vending/vending.ts'

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
  const { logger, sandbox = false, metrics: registry = createRegistry() } = dependencies
  const { clock = systemClock(dependencies.now), now = clock.now, random = Math.random } = dependencies
  const direct = createRoute(config.outbound)
  const { tracing, ...traces } = await startTraces(config.tracing, { route: direct, logger, clock, random })
  const route = { ...direct, tracing }

  // The templates, and the storage that they open.
  const targets = createTargets(config, { logger, route, clock, now, random, source: dependencies.source })
  const targetOf = targetFinder(targets)
  const grantSettings = mapTargets(targets, ({ settings }) => settings)
  const issuersChecked = checkedIssuers(config.issuers)
  const policies = await createLivePolicies(
    config.policiesDir,
    mapTargets(targets, ({ settings }) => ({ ...settings, ...issuersChecked })),
    reportReloads(logger, registry),
  )

  // Whose tokens are trusted.
  const report = reportKeySets({ logger, metrics: registry, ages: () => trusted.ages() })
  const { keyPool } = dependencies
  const trusted = createTrustedIssuers(config.issuers, { route, clock, sandbox, report, keyPool })
  const { issuers } = trusted
  const verifiedTokens = createVerifiedTokens({
    maxEntries: config.tokenCacheEntries,
    onLookup: countTokenCache(registry, () => verifiedTokens?.size() ?? 0),
  })

  // Sessions: from memory, Redis, STS.
  const { keyOf = (grant) => cacheKey(targetOf(grant).scope, grant) } = dependencies
  const redis = await connectShared(config.redis, {
    ...{ clock, random, route, logger, tracing, redis: dependencies.redis },
    metrics: () => redisMetrics(registry),
  })
  const { shared } = redis
  const sessions = createSessions(
    {
      ...config.cache,
      ...config.calls,
      deadlineMs: config.vendDeadlineMs,
      newSessionsPerMinute: config.rateLimits.newSessions,
    },
    {
      ...{ keyOf, clock, random, logger, shared, tracing },
      upstreams: mapTargets(targets, ({ upstream }) => upstream),
      metrics: sessionMetrics(registry),
    },
  )

  // The listener, with hooks in the order in which they run.
  const metrics = httpMetrics(registry)
  const app = await createServer(config, logger, metrics.connectionCut)
  const audit = await registerAudit(app, config.audit, { ...dependencies, metrics: registry, clock: { ...clock, now } })
  observeRequests(app, { metrics, isPolicy: (name) => policies.current().has(name) })
  traceRequests(app, traces.startRequest)
  const { draining, stop } = createDrain(app, clock)
  limitConnections(app, config.maxConnections, metrics)
  const overload = createOverload(config.overload, { logger, metrics, clock, measure: dependencies.measure })
  const verify = await registerIdentity(app, issuers, { now, maxTokenBytes: config.maxTokenBytes, verifiedTokens })
  const denying = createDenying(config, {
    ...{ clock, now, verifiedTokens, shared },
    report: (size) => reportDenylist({ logger, metrics: registry, size }),
  })
  const authenticate = registerRateLimits(app, config, denying.authenticate(audit.noting(verify)), {
    ...{ now, metrics },
    shared: shared && { link: shared.link, nameOf: (key) => `oss-vend:rate:${shared.seal.names(key)[0]}` },
  })
  // Shed after the limits of addresses and before signatures are checked, which is most of what a request costs.
  shedLoad(app, overload)

  const counter = {
    catalogue: policies.current,
    clock: { ...clock, now },
    sessions,
    tracing,
    minValiditySeconds: config.cache.minValiditySeconds,
    deadlineMs: config.vendDeadlineMs,
    boundToToken: config.sessionBoundToToken,
  }
  const services = {
    authenticate: traced(authenticate, tracing),
    now,
    vending: denying.vending(createVending({ ...counter, targets: grantSettings })),
    signing: denying.signing(createSigning({ ...counter, targets })),
    ossOf: (grant: Grant) => targetOf(grant).oss,
    ready: () => !draining() && !overload.shedding() && trusted.usable(),
  }
  await registerRoutes(app, services, config)
  showReady(registry, services.ready)
  showKeyAges(registry, targets, now)

  const ops =
    config.opsPort === undefined
      ? undefined
      : await createServer({ ...config, corsOrigins: [] }, logger, metrics.connectionCut)
  if (ops) {
    const stsClocks = mapTargets(targets, ({ stsClock }) => stsClock)
    healthRoutes(ops, services, showClockOffset(registry, stsClocks))
    metricsRoutes(ops, registry)
  }

  // Files and keys that change while the service runs.
  const stsKeys = [...targets.values()].map(({ keys }) => keys)
  const secrets = [...stsKeys, shared && cacheKeys(config, shared.seal), ...issuerKeys(issuers)]
  const refreshKeys: Reloader = async (why) => {
    if (why !== 'asked') return
    verifiedTokens?.clear()
    await trusted.refresh()
  }
  const count = countSecrets(registry)
  const reloaders = [
    policies.look,
    refreshKeys,
    denying.reload,
    audit.reopen,
    ...watchSecrets(secrets, { logger, count }),
  ]
  const reloads = createReloads(reloaders, { logger, clock })

  let learning: readonly (() => void)[] = []
  app.addHook('onReady', async () => {
    // Or the first callers would find Redis gone.
    await redis.ready()
    await denying.start()
    reportProxy(logger, config)
    trusted.start()
    learning = [...targets.values()].map(({ learn }) => learn())
    overload.start()
    reloads.start()
  })
  app.addHook('onClose', async () => {
    trusted.stop()
    overload.close()
    denying.close()
    reloads.close()
    for (const stop of learning) stop()
    await sessions.close()
    redis.close()
    // Closed after the app, so that it can be asked until the last request is answered.
    await Promise.all([trusted.disconnect(), ops?.close(), traces.close()])
  })
  return { app, ...(ops && { ops }), stop, reload: reloads.reload }
}
