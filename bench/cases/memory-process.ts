import { randomBytes } from 'node:crypto'
import { destination } from 'pino'
import { Registry } from 'prom-client'
import { z } from 'zod'
import { credentialsRoutes } from '../../routes/credentials.ts'
import { systemClock } from '../../src/clock.ts'
import { readConfig } from '../../src/config/config.ts'
import { registerIdentity } from '../../src/identity/authenticate.ts'
import { createConfiguredKey } from '../../src/identity/configured-key.ts'
import { createLogger } from '../../src/observe/log.ts'
import { loadCatalogue } from '../../src/policy/catalogue.ts'
import { fillIn, type Grant } from '../../src/policy/grant.ts'
import { createServer } from '../../src/server.ts'
import { cacheKey } from '../../src/vending/cache-key.ts'
import { createCacheMetrics } from '../../src/vending/cache-metrics.ts'
import { type CredentialCache, createCredentialCache } from '../../src/vending/credential-cache.ts'
import { createGrants } from '../../src/vending/grants.ts'
import { createSessionStore } from '../../src/vending/session-store.ts'
import { createVending } from '../../src/vending/vending.ts'
import { createWaits } from '../../src/vending/waits.ts'

/**
 * Holds sessions in the service's own cache, or in a Map as the rival, and serves them over HTTP. When told to `vend`, it
 * vends some of them over and over without HTTP, and looks them up, and answers with how many of each it did in a second
 * of processor time; when asked for its `cpu`, with the seconds that it has had.
 */
const SESSION_SECONDS = 3600
const inputSchema = z.object({
  kind: z.enum(['cache', 'map']),
  sessions: z.int(),
  lookups: z.int(),
  environment: z.record(z.string(), z.string()),
})
const { kind, sessions, lookups, environment } = inputSchema.parse(JSON.parse(process.argv[2] ?? ''))
const config = readConfig(environment)

/** Texts of their own, as they come from parsed JSON: none shares memory with another. */
const text = (characters: number) => randomBytes(characters / 2).toString('hex')
const credentials = () => ({
  accessKey: text(32),
  secretKey: text(32),
  sessionToken: text(800),
  expiresAt: Date.now() + SESSION_SECONDS * 1000,
})

const settings = { ...config.oss, maxSessionSeconds: SESSION_SECONDS, severalIssuers: false }
const issuer = config.issuers[0]?.name ?? ''
const { catalogue } = await loadCatalogue(config.policiesDir, { ...settings, issuers: [issuer] })
const template = catalogue.get('user-upload')
if (!template) throw new Error('user-upload is not among the policies')

const callerOf = (index: number) => {
  const subject = `user-${index}`
  return { issuer, subject, claims: { sub: subject, scope: 'oss.upload' } }
}
const grantOf = (caller: ReturnType<typeof callerOf>) => fillIn(template, { caller }, settings)
const keyOf = (grant: Grant) => cacheKey('https://sts.example.test jrn:iam::111111111111:role/test-role', grant)
const need = { owner: callerOf(0), validityMs: 900_000, deadlineMs: 5000 }

function createCache() {
  const clock = systemClock()
  const { monotonic } = clock
  const store = createSessionStore({ maxEntries: sessions, maxBytes: sessions * 4096, monotonic })
  return createCredentialCache({
    store,
    upstream: {
      assumeRole: async () => ({ ...credentials(), endsAt: monotonic() + SESSION_SECONDS * 1000 }),
      close: () => {},
    },
    clock,
    waits: createWaits(clock),
    random: Math.random,
    metrics: createCacheMetrics(new Registry(), store.size),
    flightMs: 5000,
    minValidityMs: 900_000,
  })
}

function createMap() {
  const map = new Map<string, ReturnType<typeof credentials>>()
  return {
    find: (key: string, _request: unknown, _need: unknown) => map.get(key) ?? map.set(key, credentials()).get(key),
  }
}

const held = () => {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** @returns where it listens */
async function listen(cache: CredentialCache): Promise<string> {
  // Logs cost, reading them does not.
  const app = await createServer(config, createLogger(config.logLevel, destination('/dev/null')))
  const issuers = config.issuers.map((issuer) => ({ issuer, key: createConfiguredKey(issuer, {}) }))
  const { minValiditySeconds } = config.cache
  credentialsRoutes(app, {
    authenticate: await registerIdentity(app, issuers),
    vending: createVending({
      catalogue: () => catalogue,
      settings,
      cache,
      keyOf,
      minValiditySeconds,
      deadlineMs: config.vendDeadlineMs,
      now: Date.now,
    }),
    oss: config.oss,
    ready: () => true,
  })
  return app.listen({ host: config.host, port: 0 })
}

const before = held()
const cache = kind === 'cache' ? createCache() : undefined
const { find } = cache ?? createMap()
for (let index = 0; index < sessions; index++) {
  const grant = grantOf(callerOf(index))
  await find(keyOf(grant), grant, need)
}
const bytes = held() - before

const grants = createGrants({ settings, keyOf })

type Known = Readonly<{ caller: ReturnType<typeof callerOf>; grant: Grant; key: string }>

function perSecond(known: readonly Known[], times: number, once: (one: Known) => unknown): number {
  const started = process.cpuUsage()
  for (let done = 0; done < times; done += known.length) {
    for (const one of known) if (once(one) instanceof Promise) throw new Error('not a hit')
  }
  const { user, system } = process.cpuUsage(started)
  return (times * 1e6) / (user + system)
}

const vend = (callers: number) => {
  // Evenly out of all of them.
  const asking = Array.from({ length: callers }, (_, index) => callerOf(Math.floor((index * sessions) / callers)))
  const known = asking.map((caller) => ({ caller, grant: grantOf(caller), key: keyOf(grantOf(caller)) }))
  const vends = perSecond(known, lookups / 10, ({ caller }) => {
    const { grant, key } = grants(template, { caller })
    return find(key, grant, need)
  })
  return { vends, lookups: perSecond(known, lookups, ({ key, grant }) => find(key, grant, need)) }
}

function cpu(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

const taskSchema = z.discriminatedUnion('task', [
  z.object({ task: z.literal('cpu') }),
  z.object({ task: z.literal('vend'), callers: z.int() }),
])
process.on('message', (message) => {
  const told = taskSchema.parse(message)
  process.send?.(told.task === 'cpu' ? cpu() : vend(told.callers))
})
process.send?.({ bytes: bytes / sessions, url: cache ? await listen(cache) : '' })
