import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { type Clock, closable, systemClock } from '../../src/lib/clock.ts'
import { connectRedis, parseRedisUrl, type RedisClient, readyWithin } from '../../src/lib/redis.ts'
import { createRedisLink, type RedisLink } from '../../src/lib/redis-link.ts'
import { redisMetrics } from '../../src/observe/redis.ts'
import { sessionMetrics } from '../../src/observe/sessions.ts'
import { redisNames } from '../../src/sessions/lease.ts'
import { redisCache } from '../../src/sessions/redis-cache.ts'
import { createSeal } from '../../src/sessions/seal.ts'
import type { SessionSource } from '../../src/sessions/session-source.ts'
import { createSessions } from '../../src/sessions/sessions.ts'
import type { CredentialSource } from '../../src/sts/credentials.ts'
import { slowClock } from '../helpers/clock.ts'
import { needsRedis, redisCluster, redisSentinel, redisServer } from '../helpers/redis.ts'
import {
  countingSource,
  credentials,
  denied,
  failure,
  grantOf,
  heldSource,
  keyOf,
  metric,
  needsOf,
  onlyTarget,
  quietLogger,
} from '../helpers/vending.ts'

const KEYS = [randomBytes(32)]
const HOUR = 3_600_000
/** Where a grant's session and lease are. */
const namesOf = (key: string, keys: readonly Buffer[] = KEYS) => redisNames(createSeal(keys).names(key)[0])

async function connect(t: Test, url: string): Promise<RedisClient> {
  const address = parseRedisUrl(url)
  if (!address) throw new Error(url)
  const redis = await connectRedis(address)
  t.teardown(() => redis.disconnect())
  await readyWithin(redis, 5000)
  return redis
}

type Options = Readonly<{
  keys?: readonly Buffer[]
  now?: () => number
  clock?: Clock
  maxRps?: number
  scope?: string
}>

/** One replica's sessions on a Redis. */
async function replica(t: Test, url: string, source: CredentialSource, options: Options = {}) {
  const { keys = KEYS, now = Date.now, clock = slowClock({ now }), maxRps = 1000, scope = 'scope' } = options
  const redis = await connect(t, url)
  const metrics = new Registry()
  const logger = quietLogger()
  const limits = { maxEntries: 10_000, maxBytes: 1e8, minValiditySeconds: 900, deadlineMs: 5000, connections: 32 }
  const link = createRedisLink({ redis, clock, logger, metrics: redisMetrics(metrics) })
  t.teardown(link.close)
  const { session, close } = createSessions(
    { ...limits, maxRps, timeoutMs: 4000, newSessionsPerMinute: 0 },
    {
      ...{ upstreams: onlyTarget(source, scope), keyOf, clock, logger },
      metrics: sessionMetrics(metrics),
      shared: { link, seal: createSeal(keys) },
    },
  )
  t.teardown(close)
  const find = async (key = 'alice', validityMs = 900_000, fresh = false) => {
    const found = await session(grantOf(key), needsOf(clock.monotonic() + 5000, { validityMs, fresh }))
    return `${found.accessKey} ${found.from}`
  }
  return { find, redis, metrics, logger, close }
}

const looks = (metrics: Registry, result: string) => metric(metrics, 'oss_vend_shared_cache_lookups_total', { result })

/** What is under a key, waited for: it is put there behind the back of the caller. */
async function stored(redis: RedisClient, key: string): Promise<Buffer> {
  for (;;) {
    const found = await redis.getBuffer(namesOf(key).session)
    if (found) return found
    await delay(5)
  }
}

t.test('three replicas, a thousand callers each, one call', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const sts = countingSource(Date.now, () => delay(50))
  const replicas = await Promise.all([1, 2, 3].map(() => replica(t, url, sts.source)))
  const all = await Promise.all(replicas.flatMap(({ find }) => Array.from({ length: 1000 }, () => find())))
  t.equal(sts.asked.length, 1)
  t.strictSame(new Set(all), new Set(['access-1 sts', 'access-1 shared']))
  const late = await replica(t, url, sts.source)
  t.equal(await late.find(), 'access-1 shared')
  t.equal(await late.find(), 'access-1 cache')
})

t.test('what lies in Redis is sealed, ends with its session, and is no lease any more', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const one = await replica(t, url, countingSource(Date.now).source)
  await one.find()
  const sealed = await stored(one.redis, 'alice')
  t.notMatch(sealed.toString('latin1'), /access-|secret-|token-/u)
  const ttl = await one.redis.pttl(namesOf('alice').session)
  t.ok(ttl > HOUR - 5000 && ttl <= HOUR, String(ttl))
  t.equal(await one.redis.exists(namesOf('alice').lease), 0)
})

t.test('a fresh session takes the place of the old one in Redis', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const sts = countingSource(Date.now)
  const [one, two] = [await replica(t, url, sts.source), await replica(t, url, sts.source)]
  t.equal(await one.find(), 'access-1 sts')
  const old = await stored(one.redis, 'alice')
  t.equal(await one.find('alice', 900_000, true), 'access-2 sts')
  while ((await stored(one.redis, 'alice')).equals(old)) await delay(5)
  t.equal(await two.find(), 'access-2 shared')
})

t.test('replicas whose clocks are an hour apart agree about how long a session lives', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const sts = countingSource(Date.now)
  const one = await replica(t, url, sts.source)
  await one.find()
  await stored(one.redis, 'alice')
  // STS takes no signature of a date that is so far off.
  const refusing = countingSource(Date.now, () => Promise.reject(denied()))
  for (const off of [HOUR, -HOUR]) {
    const other = await replica(t, url, refusing.source, { now: () => Date.now() + off })
    t.equal(await other.find(), 'access-1 shared')
    t.equal(await other.find(), 'access-1 cache')
  }
  t.equal(refusing.asked.length, 1, 'by whom the date says that it is over, and once')
  await one.redis.pexpire(namesOf('alice').session, 899_000)
  const behind = await replica(t, url, sts.source, { now: () => Date.now() - HOUR })
  t.equal(await behind.find(), 'access-2 sts', 'one that has too little left is not taken, whatever the clock says')
})

t.test('what Redis keeps for longer than it lives is not handed out', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const sts = countingSource(Date.now)
  const one = await replica(t, url, sts.source)
  await one.find()
  const sealed = await stored(one.redis, 'alice')
  const later = Date.now() + 50 * 60_000
  const next = countingSource(() => later)
  await one.redis.set(namesOf('alice').session, sealed, 'PX', HOUR)
  const other = await replica(t, url, next.source, { now: () => later })
  t.equal(await other.find(), 'access-1 sts')
  t.equal(next.asked.length, 1)
})

t.test('entries that are not ours are ignored and counted', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const sts = countingSource(Date.now)
  const first = await replica(t, url, sts.source)
  await first.find('alice')
  const sealed = await stored(first.redis, 'alice')
  const name = namesOf('victim').session
  const bent = Buffer.from(sealed)
  bent[40] = (bent[40] ?? 0) ^ 1
  const foreign = createSeal([randomBytes(32)]).seal('victim', '["a","b","c",9999999999999]')
  const ours = (text: string) => createSeal(KEYS).seal('victim', text)
  const rows: Record<string, (redis: RedisClient) => Promise<unknown>> = {
    "another grant's": (redis) => redis.set(name, sealed, 'PX', HOUR),
    'a bent one': (redis) => redis.set(name, bent, 'PX', HOUR),
    'sealed by a foreign key': (redis) => redis.set(name, foreign, 'PX', HOUR),
    text: (redis) => redis.set(name, '{"accessKey":"x"}', 'PX', HOUR),
    'a list': (redis) => redis.rpush(name, 'x'),
    'ten megabytes': (redis) => redis.set(name, Buffer.alloc(10_000_000), 'PX', HOUR),
    'sealed, but no session': (redis) => redis.set(name, ours('["a","b"]'), 'PX', HOUR),
    'sealed, but no JSON': (redis) => redis.set(name, ours('x'), 'PX', HOUR),
    'sealed, but without an end': (redis) => redis.set(name, ours('["a","b","c",9999999999999]')),
  }
  for (const [row, put] of Object.entries(rows)) {
    t.test(row, async (t) => {
      await first.redis.del(name)
      await put(first.redis)
      const other = await replica(t, url, sts.source)
      t.match(await other.find('victim'), / sts$/u)
      t.ok((await looks(other.metrics, 'ignored')) >= 1)
      t.strictSame(other.logger.lines, [])
    })
  }
})

t.test('keys are changed one replica after the other', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const sts = countingSource(Date.now)
  const next = randomBytes(32)
  const old = await replica(t, url, sts.source)
  await old.find()
  await stored(old.redis, 'alice')
  const both = await replica(t, url, sts.source, { keys: [next, ...KEYS] })
  t.equal(await both.find(), 'access-1 shared')
})

t.test('a replica that dies with a lease delays the others by no more than it', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const held = heldSource()
  const dying = await replica(t, url, held.source, { clock: systemClock() })
  failure(dying.find())
  while (held.asked.length === 0) await delay(5)
  dying.redis.disconnect()
  const sts = countingSource(Date.now)
  const other = await replica(t, url, sts.source, { clock: systemClock() })
  const before = performance.now()
  t.equal(await other.find(), 'access-1 sts')
  const waited = performance.now() - before
  t.ok(waited < 1500, `${waited} ms`)
})

t.test('one that lives keeps its lease for as long as STS takes', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const sts = countingSource(Date.now, () => delay(1500))
  const replicas = await Promise.all([1, 2].map(() => replica(t, url, sts.source, { clock: systemClock() })))
  t.strictSame(
    new Set(await Promise.all(replicas.map(({ find }) => find()))),
    new Set(['access-1 sts', 'access-1 shared']),
  )
  t.equal(sts.asked.length, 1)
})

/** The Redis level of a process that may be slow to read what Redis answers to writes, while it asks the next level. */
async function slowReplica(t: Test, url: string, readMs = 0) {
  const redis = await connect(t, url)
  let ahead = 0
  const clock = closable({ ...systemClock(), monotonic: () => performance.now() + ahead })
  const metrics = new Registry()
  const link = createRedisLink({ redis, clock, logger: quietLogger(), metrics: redisMetrics(metrics) })
  const ask: RedisLink['ask'] = async (kind, question) => {
    const answer = await link.ask(kind, question)
    if (kind === 'write') ahead += readMs
    return answer
  }
  const asked: ((error: Error) => void)[] = []
  const next: SessionSource = {
    session: () => new Promise((_resolve, reject) => void asked.push(reject)),
    close: async () => {},
  }
  const dependencies = {
    link: { ...link, ask },
    seal: createSeal(KEYS),
    keyOf,
    clock,
    random: Math.random,
    metrics: sessionMetrics(metrics),
    minValidityMs: 900_000,
  }
  const waiting = redisCache(next, dependencies).session(grantOf(), needsOf(clock.monotonic() + 60_000))
  while (asked.length === 0) await delay(1)
  t.teardown(() => {
    for (const fail of asked) fail(new Error('the test is over'))
    return waiting.catch(() => {})
  })
  return { leaseMs: () => redis.pttl(namesOf('alice').lease) }
}

t.test(
  'one that is slow to read that it has the lease takes it for longer, but not for ever',
  needsRedis,
  async (t) => {
    for (const { readMs, want } of [
      { readMs: 0, want: 1000 },
      { readMs: 200, want: 1000 },
      { readMs: 510, want: 2040 },
      { readMs: 900, want: 3600 },
      { readMs: 10_000, want: 4000 },
    ]) {
      const { url } = await redisServer(t)
      const { leaseMs } = await slowReplica(t, url, readMs)
      const left = await leaseMs()
      t.ok(left > want - 300 && left < want + 400, `${readMs}: ${left}`)
    }
  },
)

t.test('nobody ends the lease of another', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const held = heldSource()
  const one = await replica(t, url, held.source)
  const first = one.find()
  while (held.asked.length === 0) await delay(5)
  await one.redis.set(namesOf('alice').lease, 'another')
  held.asked[0]?.pay(credentials(1, Date.now() + HOUR))
  await first
  await stored(one.redis, 'alice')
  t.equal(await one.redis.get(namesOf('alice').lease), 'another')
})

t.test('a failure lets the next replica try at once', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const held = heldSource()
  const one = await replica(t, url, held.source)
  const refused = failure(one.find())
  while (held.asked.length === 0) await delay(5)
  const sts = countingSource(Date.now)
  const other = await replica(t, url, sts.source)
  const waiting = other.find()
  await delay(100)
  t.equal(sts.asked.length, 0)
  held.asked[0]?.fail(new Error('x'))
  await t.rejects(refused)
  t.equal(await waiting, 'access-1 sts')
})

t.test('a session that is too short for anybody is not left for the other replicas', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const short = countingSource(() => Date.now() - 46 * 60_000)
  const one = await replica(t, url, short.source)
  t.match(await failure(one.find()), { code: 'upstream_unavailable' })
  await one.close()
  const { session, lease } = namesOf('alice')
  t.equal(await one.redis.exists(session, lease), 0)
})

t.test('a replica that closes gives its lease back', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const held = heldSource()
  const one = await replica(t, url, held.source)
  const refused = failure(one.find())
  while (held.asked.length === 0) await delay(5)
  t.equal(await one.redis.exists(namesOf('alice').lease), 1)
  await one.close()
  t.strictSame(await refused, { code: 'not_ready' })
  t.equal(await one.redis.exists(namesOf('alice').lease), 0)
})

t.test('one rate for all replicas', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const calls: number[] = []
  const sts = countingSource(Date.now, () => void calls.push(performance.now()))
  const replicas = await Promise.all(
    [1, 2].map(() => replica(t, url, sts.source, { maxRps: 20, clock: systemClock() })),
  )
  await Promise.all(replicas.flatMap(({ find }, r) => Array.from({ length: 10 }, (_, i) => find(`${r}-${i}`))))
  const took = Math.max(...calls) - Math.min(...calls)
  t.ok(took >= 800 && took < 5000, `twenty calls at twenty a second, less a burst: ${took} ms`)
  const key = 'oss-vend:{scope}:rate'
  await replicas[0]?.redis.set(key, String(Date.now() + HOUR))
  t.match(await replicas[0]?.find('later'), / sts$/u, "Redis' clock was set back by an hour")
})

t.test('Redis as a cluster', needsRedis, async (t) => {
  const server = await redisCluster(t)
  const sts = countingSource(Date.now)
  const url = server.url.replace('redis:', 'redis+cluster:')
  const [one, other] = await Promise.all([replica(t, url, sts.source), replica(t, url, sts.source)])
  t.equal(await one.find(), 'access-1 sts')
  await stored(one.redis, 'alice')
  t.equal(await other.find(), 'access-1 shared')
  t.strictSame(one.logger.lines, [])
})

t.test('Redis behind sentinels, with a password', needsRedis, async (t) => {
  const primary = await redisServer(t, '--requirepass', 'fixture')
  const sentinel = await redisSentinel(t, primary, 'fixture')
  const url = `redis+sentinel://:fixture@127.0.0.1:${sentinel.port}/main`
  const sts = countingSource(Date.now)
  const [one, other] = await Promise.all([replica(t, url, sts.source), replica(t, url, sts.source)])
  t.equal(await one.find(), 'access-1 sts')
  await stored(one.redis, 'alice')
  t.equal(await other.find(), 'access-1 shared')
})

t.test('a session that comes between looking and taking the lease is found', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const sts = countingSource(Date.now)
  const [quick, slow] = await Promise.all([replica(t, url, sts.source), replica(t, url, sts.source)])
  await quick.find()
  const sealed = await stored(quick.redis, 'alice')
  await quick.redis.del(namesOf('alice').session)
  const original = slow.redis.callBuffer.bind(slow.redis)
  let looked = false
  t.intercept(slow.redis, 'callBuffer', {
    value: async (...args: [string, ...(string | number | Buffer)[]]) => {
      const answer = await original(...args)
      if (!looked) {
        looked = true
        await quick.redis.set(namesOf('alice').session, sealed, 'PX', HOUR)
      }
      return answer
    },
  })
  t.equal(await slow.find(), 'access-1 shared')
  t.equal(sts.asked.length, 1)
  t.equal(await slow.redis.exists(namesOf('alice').lease), 0)
})
