import t, { type Test } from 'tap'
import { createCounter, createSharedCounts } from '../../src/http/counter.ts'
import { createWindows } from '../../src/http/windows.ts'
import { createRedisLink } from '../../src/lib/redis-link.ts'
import { slowClock } from '../helpers/clock.ts'
import { connectTo, needsRedis, type RedisServer, redisServer } from '../helpers/redis.ts'
import { quietLogger } from '../helpers/vending.ts'

const windowMs = 60_000

/** One replica: a counter over its own connection. */
async function replica(t: Test, server: RedisServer, { max = 100, time = slowClock() } = {}) {
  let passed = 0
  const redis = connectTo(t, server)
  await redis.ping()
  const failures: string[] = []
  const implausible: string[] = []
  const clock = { ...time, monotonic: () => time.monotonic() + passed }
  const link = createRedisLink({
    ...{ redis, clock, logger: quietLogger() },
    metrics: { up() {}, failed() {}, implausible: (what) => void implausible.push(what) },
  })
  t.teardown(link.close)
  const shared = createSharedCounts({
    link,
    nameOf: (key) => key,
    onFailure: () => failures.push('failed'),
  })
  const windows = createWindows({ windowMs, maxKeys: 100, now: () => Date.now() + passed })
  const hit = createCounter({ prefix: 'test:', max, windowMs, windows, shared })
  return { hit, link, redis, failures, implausible, pass: (milliseconds: number) => (passed += milliseconds) }
}

t.test('replicas count together', needsRedis, async (t) => {
  const server = await redisServer(t)
  const [one, other] = [await replica(t, server), await replica(t, server)]
  t.equal((await one.hit('a')).current, 1)
  t.equal((await other.hit('a')).current, 2)
  const { current, ttl } = await one.hit('a')
  t.equal(current, 3)
  t.ok(ttl > 50_000 && ttl <= windowMs)
  t.equal((await one.hit('b')).current, 1)
  const counts = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? one : other).hit('c')))
  t.strictSame(
    counts.map((count) => count.current).sort((a, b) => a - b),
    Array.from({ length: 40 }, (_, i) => i + 1),
    'none is lost or told twice',
  )
})

t.test('several times are counted at once, in Redis and without it', needsRedis, async (t) => {
  const server = await redisServer(t)
  const [one, other] = [await replica(t, server), await replica(t, server)]
  t.match(await one.hit('a', 9), { current: 9, ttl: windowMs })
  t.equal((await other.hit('a', 3)).current, 12)
  t.equal((await one.hit('a')).current, 13)
  t.strictSame(one.implausible, [])
  await one.redis.set('test:b', '5')
  t.match(await one.hit('b', 9), { current: 9, ttl: windowMs }, 'a window without an end is opened anew')
  t.strictSame(one.implausible, ['count'])
  server.pause()
  t.equal((await one.hit('a', 9)).current, 22)
  server.resume()
})

t.test('a count that no replica can have left is counted anew, and told', needsRedis, async (t) => {
  const one = await replica(t, await redisServer(t))
  const rows: Record<string, () => Promise<unknown>> = {
    'a window without an end': () => one.redis.set('test:a', '5'),
    'a window of thirty days': () => one.redis.set('test:a', '5', 'PX', 30 * 86_400_000),
    'a number as high as none': () => one.redis.set('test:a', '9007199254740991', 'PX', 1000),
    'more than the limit and all requests in work': () => one.redis.set('test:a', '99999', 'PX', 1000),
    'the highest number that Redis can count to': () => one.redis.set('test:a', '9223372036854775807', 'PX', 1000),
    'a number below zero': () => one.redis.set('test:a', '-1000000', 'PX', 1000),
    text: () => one.redis.set('test:a', 'x'.repeat(1000), 'PX', 1000),
    'a list': () => one.redis.rpush('test:a', 'x'),
  }
  for (const [row, put] of Object.entries(rows)) {
    one.implausible.length = 0
    await one.redis.del('test:a')
    await put()
    t.strictSame(await one.hit('a'), { current: 1, ttl: windowMs }, row)
    t.strictSame(one.implausible, ['count'], row)
    t.equal((await one.hit('a')).current, 2, row)
    const ttl = await one.redis.pttl('test:a')
    t.ok(ttl > 0 && ttl <= windowMs, row)
    t.strictSame(one.failures, [], row)
  }
})

t.test('who is over the limit is counted here alone', needsRedis, async (t) => {
  const one = await replica(t, await redisServer(t), { max: 2 })
  for (let i = 0; i < 10; i++) await one.hit('a')
  t.equal(await one.redis.get('test:a'), '3')
  t.equal((await one.hit('a')).current, 11)
})

t.test('a Redis that is paused costs one wait, and is found again', needsRedis, async (t) => {
  const server = await redisServer(t)
  const one = await replica(t, server)
  await one.hit('a')
  server.pause()
  const started = performance.now()
  t.equal((await one.hit('a')).current, 2, 'it goes on from what Redis last said')
  t.equal((await one.hit('a')).current, 3)
  for (let i = 0; i < 100; i++) await one.hit('a')
  const took = performance.now() - started
  t.ok(took >= 500 && took < 20_000, `one wait and not a hundred: ${took} ms`)
  t.strictSame(one.failures, ['failed'], 'which is told once')
  one.pass(1001)
  await Promise.all([one.hit('a'), one.hit('a')])
  t.strictSame(one.failures, ['failed'], 'and not for each try')
  server.resume()
  await one.redis.ping()
  one.pass(1001)
  t.equal((await one.hit('z')).current, 1)
  t.equal(await one.redis.get('test:z'), '1', 'shared again')
})

t.test('an outage that sessions have met costs the limits no wait, and the other way round', needsRedis, async (t) => {
  const server = await redisServer(t)
  const one = await replica(t, server)
  await one.hit('a')
  server.pause()
  t.equal(await one.link.ask('read', (redis) => redis.ping()), undefined)
  const started = performance.now()
  t.equal((await one.hit('a')).current, 2)
  t.ok(performance.now() - started < 500, 'counted here at once')
  one.pass(1001)
  await one.hit('a')
  const again = performance.now()
  t.equal(await one.link.ask('read', (redis) => redis.ping()), undefined)
  t.ok(performance.now() - again < 500)
  server.resume()
})

t.test('a Redis that dies delays nobody', needsRedis, async (t) => {
  const server = await redisServer(t)
  const one = await replica(t, server)
  await one.hit('a')
  const gone = new Promise((resolve) => one.redis.once('close', resolve))
  await server.kill()
  await gone
  const started = performance.now()
  t.equal((await one.hit('a')).current, 2)
  t.ok(performance.now() - started < 500, 'nothing is sent to a connection that is not there')
  t.strictSame(one.failures, ['failed'])
})

t.test('a Redis whose answers make no sense counts as none', async (t) => {
  const answers = [null, [], [1], ['1', '2'], [0, 5], [1, -1], [1.5, 3], [Number.NaN, 1], 'OK', undefined]
  for (const answer of answers) {
    const windows = createWindows({ windowMs, maxKeys: 100, now: () => 0 })
    let failures = 0
    const shared = createSharedCounts({
      // @ts-expect-error: the answer of a link is whatever Redis says
      link: { ask: async () => answer },
      nameOf: (key) => key,
      implausible: () => {},
      onFailure: () => failures++,
    })
    const hit = createCounter({ prefix: '', max: 9, windowMs, windows, shared })
    t.strictSame(await hit('a'), { current: 1, ttl: windowMs }, String(answer))
    await hit('a')
    t.equal(failures, 1, 'told once')
  }
})
