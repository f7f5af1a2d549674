import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { systemClock } from '../../src/lib/clock.ts'
import { connectRedis, parseRedisUrl, type RedisClient, readyWithin } from '../../src/lib/redis.ts'
import { createRedisLink } from '../../src/lib/redis-link.ts'
import { redisMetrics } from '../../src/observe/redis.ts'
import { sessionMetrics } from '../../src/observe/sessions.ts'
import { redisNames } from '../../src/sessions/lease.ts'
import { createRedisEntries } from '../../src/sessions/redis-entry.ts'
import { createSeal } from '../../src/sessions/seal.ts'
import { createSessions } from '../../src/sessions/sessions.ts'
import type { CredentialSource } from '../../src/sts/credentials.ts'
import { slowClock } from '../helpers/clock.ts'
import { needsRedis, redisServer } from '../helpers/redis.ts'
import {
  countingSource,
  credentials,
  denied,
  failure,
  grantOf,
  keyOf,
  metric,
  needsOf,
  onlyTarget,
  quietLogger,
} from '../helpers/vending.ts'

const KEYS = [randomBytes(32)]
const HOUR = 3_600_000
const DAY = 24 * HOUR
const RATE = 'oss-vend:{scope}:rate'
const namesOf = (key: string, keys: readonly Buffer[] = KEYS) => redisNames(createSeal(keys).names(key)[0])

/** A replica, and the connection of somebody who may write to its Redis. */
async function replica(t: Test, url: string, source: CredentialSource, { keys = KEYS, now = Date.now } = {}) {
  const address = parseRedisUrl(url)
  if (!address) throw new Error(url)
  const redis = await connectRedis(address)
  t.teardown(() => redis.disconnect())
  await readyWithin(redis, 5000)
  const metrics = new Registry()
  const options = { maxEntries: 100, maxBytes: 1e8, minValiditySeconds: 900, deadlineMs: 5000, connections: 32 }
  const [clock, logger] = [slowClock({ now }), quietLogger()]
  const link = createRedisLink({ redis, clock, logger, metrics: redisMetrics(metrics) })
  t.teardown(link.close)
  const { session, close } = createSessions(
    { ...options, maxRps: 1000, timeoutMs: 4000, newSessionsPerMinute: 0 },
    {
      upstreams: onlyTarget(source),
      keyOf,
      clock,
      logger,
      metrics: sessionMetrics(metrics),
      shared: { link, seal: createSeal(keys) },
    },
  )
  t.teardown(close)
  const find = async (key = 'alice') => {
    const owner = { issuer: 'app', subject: key }
    const found = await session(grantOf(key), needsOf(clock.monotonic() + 5000, { owner }))
    return `${found.accessKey} ${found.from}`
  }
  const implausible = (what: string) => metric(metrics, 'oss_vend_redis_implausible_total', { what })
  /** Resolves when the session is where the other replicas look, and no lease is left. */
  const settle = async (key: string) => {
    const { session: place, lease } = namesOf(key, keys)
    while ((await redis.exists(place)) === 0 || (await redis.exists(lease)) === 1) await delay(5)
  }
  return { find, redis, implausible, settle }
}

t.test('a session that ended nine hours ago is handed out by nobody', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const began = Date.now() - 10 * HOUR
  const clock = { ...systemClock(() => began), monotonic: () => 0 }
  const session = { ...credentials(7, began + HOUR), endsAt: HOUR }
  const old = createRedisEntries({ seal: createSeal(KEYS), clock }).write('alice', session, {
    redis: began,
    monotonic: 0,
  })
  if (!old) throw new Error('nothing was written')
  for (const { name, off, ttl } of [
    { name: 'our date is right', off: 0, ttl: 30 * DAY },
    { name: 'our date is ten hours back', off: -10 * HOUR, ttl: 30 * DAY },
    { name: 'our date is ten hours back, and it is kept for no longer than it was', off: -10 * HOUR, ttl: HOUR },
    { name: 'our date is right, and it is kept for ever', off: 0, ttl: undefined },
  ]) {
    t.test(name, async (t) => {
      const refusing = countingSource(Date.now, () => Promise.reject(denied()))
      const one = await replica(t, url, refusing.source, { now: () => Date.now() + off })
      const { session: place } = namesOf('alice')
      await (ttl === undefined ? one.redis.set(place, old.sealed) : one.redis.set(place, old.sealed, 'PX', ttl))
      t.strictSame(await failure(one.find()), { code: 'upstream_denied' })
      t.ok((await one.implausible('session')) >= 1)
    })
  }
})

t.test('a lease that no replica can have taken keeps nobody waiting', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const rows: Record<string, (redis: RedisClient, lease: string) => Promise<unknown>> = {
    'without an end': (redis, lease) => redis.set(lease, 'somebody'),
    'for a day': (redis, lease) => redis.set(lease, 'somebody', 'PX', DAY),
    'for a little longer than one can be': (redis, lease) => redis.set(lease, 'somebody', 'PX', 6000),
    'a list without an end': (redis, lease) => redis.rpush(lease, 'somebody'),
  }
  for (const [name, put] of Object.entries(rows)) {
    t.test(name, async (t) => {
      const sts = countingSource(Date.now)
      const one = await replica(t, url, sts.source)
      const { lease } = namesOf(name)
      await put(one.redis, lease)
      t.equal(await one.find(name), 'access-1 sts')
      t.equal(await one.implausible('lease'), 1)
      await one.settle(name)
      t.equal(await one.redis.exists(lease), 0, 'and it has ended')
    })
  }
})

t.test('an instant that nobody can have reserved keeps nobody out', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const rows: Record<string, (redis: RedisClient) => Promise<unknown>> = {
    'a minute ahead': (redis) => redis.set(RATE, String(Date.now() + 59_000), 'PX', 60_000),
    'a day ahead': (redis) => redis.set(RATE, String(Date.now() + DAY), 'PX', DAY),
    'without an end': (redis) => redis.set(RATE, String(Date.now() + 5000)),
    text: (redis) => redis.set(RATE, 'x', 'PX', 5000),
    'no number': (redis) => redis.set(RATE, 'nan', 'PX', 5000),
    'an endless number': (redis) => redis.set(RATE, 'inf', 'PX', 5000),
    'a number too large': (redis) => redis.set(RATE, '1e400', 'PX', 5000),
    'a list': (redis) => redis.rpush(RATE, 'x'),
  }
  for (const [name, put] of Object.entries(rows)) {
    t.test(name, async (t) => {
      const sts = countingSource(Date.now)
      const one = await replica(t, url, sts.source)
      await one.redis.del(RATE)
      await put(one.redis)
      const began = performance.now()
      t.equal(await one.find(name), 'access-1 sts')
      t.ok(performance.now() - began < 2000)
      t.equal(await one.implausible('rate'), 1)
      t.ok(Number(await one.redis.get(RATE)) < Date.now() + 1000, 'and the next one is not kept out either')
    })
  }
})

t.test('nobody can compute from a grant what it is called in Redis', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const one = await replica(t, url, countingSource(Date.now).source)
  const key = createHash('sha256').update('alice').digest('base64url')
  await one.find(key)
  await one.settle(key)
  const found = (await one.redis.keys('*')).filter((name) => name !== RATE)
  t.strictSame(found, [namesOf(key).session])
  t.notMatch(found.join(), key)
  t.notSame(found, [namesOf(key, [randomBytes(32)]).session])
})

t.test('while the key is changed replicas find what they can open', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const young = randomBytes(32)
  const sts = countingSource(Date.now)
  const before = await replica(t, url, sts.source)
  t.equal(await before.find('alice'), 'access-1 sts')
  await before.settle('alice')
  const during = await replica(t, url, sts.source, { keys: [young, ...KEYS] })
  t.equal(await during.find('alice'), 'access-1 shared', 'what the old key named')
  t.equal(await during.find('bob'), 'access-2 sts')
  await during.settle('bob')
  const after = await replica(t, url, sts.source, { keys: [young] })
  t.equal(await after.find('bob'), 'access-2 shared', 'and dropping the old key loses nothing that the new one sealed')
})
