import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { Registry } from 'prom-client'
import { z } from 'zod'
import { systemClock } from '../../src/clock.ts'
import { loadCatalogue } from '../../src/policy/catalogue.ts'
import { fillIn, type Grant } from '../../src/policy/grant.ts'
import { cacheKey } from '../../src/vending/cache-key.ts'
import { createCacheMetrics } from '../../src/vending/cache-metrics.ts'
import { createCredentialCache } from '../../src/vending/credential-cache.ts'
import { createSessionStore } from '../../src/vending/session-store.ts'
import { createWaits } from '../../src/vending/waits.ts'

/**
 * Holds sessions in the service's own cache, or in a Map as the rival; then, for each message, vends some of them over and
 * over, and looks them up, and answers with how many of each it did in a second of processor time.
 */
const SESSION_SECONDS = 3600
const inputSchema = z.object({ kind: z.enum(['cache', 'map']), sessions: z.int(), asked: z.int(), lookups: z.int() })
const { kind, sessions, asked, lookups } = inputSchema.parse(JSON.parse(process.argv[2] ?? ''))

/** Texts of their own, as they come from parsed JSON: none shares memory with another. */
const text = (characters: number) => randomBytes(characters / 2).toString('hex')
const credentials = () => ({
  accessKey: text(32),
  secretKey: text(32),
  sessionToken: text(800),
  expiresAt: Date.now() + SESSION_SECONDS * 1000,
})

const settings = {
  account: '111111111111',
  bucket: 'test-app',
  region: 'cn-north-1',
  maxSessionSeconds: SESSION_SECONDS,
  severalIssuers: false,
}
const policies = fileURLToPath(new URL('../../policies', import.meta.url))
const template = (await loadCatalogue(policies, { ...settings, issuers: ['app'] })).catalogue.get('user-upload')
if (!template) throw new Error('user-upload is not among the policies')

const callerOf = (index: number) => {
  const subject = `user-${index}`
  return { issuer: 'app', subject, claims: { sub: subject, scope: 'oss.upload' } }
}
const grantOf = (caller: ReturnType<typeof callerOf>) => fillIn(template, { caller }, settings)
const keyOf = (grant: Grant) => cacheKey('https://sts.example.test jrn:iam::111111111111:role/test-role', grant)
const need = { validityMs: 900_000, deadlineMs: 5000 }

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

const before = held()
const { find } = kind === 'cache' ? createCache() : createMap()
for (let index = 0; index < sessions; index++) {
  const grant = grantOf(callerOf(index))
  await find(keyOf(grant), grant, need)
}
const bytes = held() - before

// The same number of different ones whatever the size is, evenly out of all of them.
const asking = Array.from({ length: asked }, (_, index) => callerOf(Math.floor((index * sessions) / asked)))
const known = asking.map((caller) => ({ caller, grant: grantOf(caller), key: keyOf(grantOf(caller)) }))

function perSecond(times: number, once: (one: (typeof known)[number]) => unknown): number {
  const started = process.cpuUsage()
  for (let done = 0; done < times; done += known.length) {
    for (const one of known) if (once(one) instanceof Promise) throw new Error('not a hit')
  }
  const { user, system } = process.cpuUsage(started)
  return (times * 1e6) / (user + system)
}

process.on('message', () => {
  const vends = perSecond(lookups / 10, ({ caller }) => {
    const grant = grantOf(caller)
    return find(keyOf(grant), grant, need)
  })
  process.send?.({ vends, lookups: perSecond(lookups, ({ key, grant }) => find(key, grant, need)) })
})
process.send?.({ bytes: bytes / sessions })
