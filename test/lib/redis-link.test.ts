import { createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { connectRedis, parseRedisUrl, type RedisClient, readyWithin } from '../../src/lib/redis.ts'
import { createRedisLink } from '../../src/lib/redis-link.ts'
import { redisMetrics } from '../../src/observe/redis.ts'
import { manualClock, slowClock } from '../helpers/clock.ts'
import { needsRedis, redisServer } from '../helpers/redis.ts'
import { until } from '../helpers/until.ts'
import { metric, quietLogger } from '../helpers/vending.ts'

const GONE = 'warn: Redis does not answer: going on without it'
const STILL = 'warn: Redis still does not answer'
const BACK = 'info: Redis answers again'

/** The lines but for further reasons: which ones a broken connection has depends on the moment. */
const changes = ({ lines }: { lines: readonly string[] }) => lines.filter((line) => line !== STILL)

/** A link whose clock can be moved ahead of its second of rest. */
async function setUp(t: Test, url: string, connectMs = 2000, given: Clock = systemClock()) {
  const address = parseRedisUrl(url)
  if (!address) throw new Error(url)
  const redis = await connectRedis(address)
  t.teardown(() => redis.disconnect())
  await readyWithin(redis, connectMs)
  let ahead = 0
  const clock = { ...given, monotonic: () => given.monotonic() + ahead }
  const logger = quietLogger()
  const reasons: unknown[] = []
  const warn = (...args: unknown[]) => {
    const [fields] = args
    if (typeof fields === 'object' && fields && 'reason' in fields) reasons.push(fields.reason)
    logger.warn(...args)
  }
  const metrics = new Registry()
  const link = createRedisLink({ redis, clock, logger: { ...logger, warn }, metrics: redisMetrics(metrics) })
  t.teardown(link.close)
  const timed = async (question: (redis: RedisClient) => Promise<unknown>, kind: 'read' | 'write' = 'read') => {
    const before = performance.now()
    const answer = await link.ask(kind, question)
    return { answer, ms: performance.now() - before }
  }
  const rest = () => {
    ahead += 1000
  }
  /** Asks, with a rest before each time, until there is an answer. */
  const untilAnswered = (question: (redis: RedisClient) => Promise<unknown>) =>
    until(async () => {
      rest()
      return (await link.ask('read', question)) !== undefined
    })
  return {
    redis,
    link,
    logger,
    reasons,
    timed,
    rest,
    untilAnswered,
    errors: (kind: string) => metric(metrics, 'oss_vend_redis_errors_total', { kind }),
    up: () => metric(metrics, 'oss_vend_redis_up'),
  }
}

const ping = (redis: RedisClient) => redis.ping()

t.test('the log says why there is no connection, once for each reason', needsRedis, async (t) => {
  const server = await redisServer(t, '--requirepass', 'right')
  const { link, rest, logger, reasons } = await setUp(t, server.url.replace('//', '//:wrong@'), 300)
  const ask = async () => {
    rest()
    return link.ask('read', ping)
  }
  t.equal(await ask(), undefined)
  t.equal(await ask(), undefined)
  t.strictSame(logger.lines, [GONE])
  t.strictSame(reasons, ['WRONGPASS'])
  await server.kill()
  await until(async () => (await ask()) === undefined && reasons.includes('ECONNREFUSED'))
  for (let i = 0; i < 5; i++) await ask()
  t.strictSame(reasons, [...new Set(reasons)])
  t.equal(logger.lines.at(-1), STILL)
})

t.test('a paused Redis costs one question 50 ms, and the others nothing, until it is back', needsRedis, async (t) => {
  const server = await redisServer(t)
  const { timed, rest, untilAnswered, logger, errors, up } = await setUp(t, server.url)
  t.match(await timed(ping), { answer: 'PONG' })
  t.equal(await up(), 1)
  server.pause()
  const first = await timed(ping)
  t.equal(first.answer, undefined)
  t.ok(first.ms >= 45 && first.ms < 500, `${first.ms} ms`)
  for (let i = 0; i < 100; i++) await timed(ping)
  t.equal(await errors('timeout'), 1, 'nobody else asks')
  rest()
  t.ok((await timed(ping)).ms >= 45, 'after a second one tries')
  await timed(ping)
  t.equal(await errors('timeout'), 2, 'and the next does not')
  t.equal(await up(), 0)
  server.resume()
  await untilAnswered(ping)
  t.match(await timed(ping), { answer: 'PONG' })
  t.equal(await up(), 1)
  t.strictSame(changes(logger), [GONE, BACK])
})

t.test('a Redis that is killed and comes back empty is found again', needsRedis, async (t) => {
  const server = await redisServer(t)
  const { timed, untilAnswered, logger, rest } = await setUp(t, server.url)
  await timed((redis) => redis.set('a', '1'))
  await server.kill()
  for (let i = 0; i < 5; i++) {
    rest()
    const { answer, ms } = await timed(ping)
    t.equal(answer, undefined)
    t.ok(ms < 500, `${ms} ms`)
  }
  await server.start()
  await untilAnswered(ping)
  t.strictSame(await timed((redis) => redis.get('a')).then(({ answer }) => answer), null)
  t.strictSame(changes(logger), [GONE, BACK])
})

t.test('a full Redis refuses who writes and answers who reads', needsRedis, async (t) => {
  const server = await redisServer(t, '--maxmemory', '1', '--maxmemory-policy', 'noeviction')
  const { timed, logger, rest, errors, redis } = await setUp(t, server.url, 2000, slowClock())
  const write = (redis: RedisClient) => redis.eval("return redis.call('SET', KEYS[1], 'x')", 1, 'k')
  t.equal((await timed(write, 'write')).answer, undefined)
  const before = await errors('reply')
  for (let i = 0; i < 10; i++) {
    t.match(await timed(ping), { answer: 'PONG' })
    t.equal((await timed(write, 'write')).answer, undefined)
  }
  t.equal(await errors('reply'), before, 'nor is it asked to again for a second')
  rest()
  await timed(write, 'write')
  t.equal(await errors('reply'), before + 1)
  await redis.config('SET', 'maxmemory', '0')
  rest()
  t.match(await timed(write, 'write'), { answer: 'OK' })
  t.strictSame(logger.lines, ['warn: Redis refuses: going on without it', 'info: Redis accepts again'])
})

t.test('garbage, silence and nobody at all are the same as no Redis, and crash nothing', async (t) => {
  const rows: Record<string, ((socket: Socket) => void) | undefined> = {
    garbage: (socket) => void socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n<html>')),
    'a number without end': (socket) => void socket.on('data', () => socket.write('$99999999999\r\n')),
    silence: () => {},
    'hanging up': (socket) => void socket.destroy(),
    nobody: undefined,
  }
  for (const [name, behave] of Object.entries(rows)) {
    t.test(name, async (t) => {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket.on('error', () => {}))
        behave?.(socket)
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const address = server.address()
      t.teardown(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
      if (!behave) await new Promise((resolve) => server.close(resolve))
      const { timed, rest, logger } = await setUp(
        t,
        `redis://127.0.0.1:${typeof address === 'object' && address?.port}`,
        100,
      )
      for (let i = 0; i < 3; i++) {
        rest()
        const { answer, ms } = await timed(ping)
        t.equal(answer, undefined)
        t.ok(ms < 500, `${ms} ms`)
      }
      t.strictSame(changes(logger), [GONE])
    })
  }
})

t.test('an answer that is here counts, though this process is late in reading it', needsRedis, async (t) => {
  const server = await redisServer(t)
  const { link, logger } = await setUp(t, server.url)
  const asked = link.ask('read', ping)
  const end = performance.now() + 100
  // The event loop stands still for longer than the budget.
  setImmediate(() => {
    while (performance.now() < end);
  })
  t.equal(await asked, 'PONG')
  t.strictSame(logger.lines, [])
})

t.test('time in which this process stood still is not held against Redis', needsRedis, async (t) => {
  const server = await redisServer(t)
  const { link, logger } = await setUp(t, server.url)
  // Real time: what is measured is the event loop standing still.
  const asked = link.ask('read', () => delay(140).then(() => 'in time'))
  const end = performance.now() + 110
  setImmediate(() => {
    while (performance.now() < end);
  })
  t.equal(await asked, 'in time')
  t.strictSame(logger.lines, [])
})

t.test('one question among many that are answered may take longer; one alone may not', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const clock = manualClock()
  const { link, logger } = await setUp(t, url, 2000, clock)
  const after = (ms: number) => link.ask('read', () => new Promise((resolve) => clock.after(ms, () => resolve(ms))))
  const crowd = [after(10), after(40), after(80), after(120), after(160)]
  await clock.advance(160)
  t.strictSame(await Promise.all(crowd), [10, 40, 80, 120, 160])
  t.strictSame(logger.lines, [])
  await clock.advance(1000)
  const alone = after(80)
  await clock.advance(80)
  t.equal(await alone, undefined)
  t.strictSame(changes(logger), [GONE])
})
