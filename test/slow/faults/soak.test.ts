import t from 'tap'
import type { AssumeRoleRequest, CredentialSource } from '../../../src/sts/credentials.ts'
import { connectTo, needsRedis, type RedisServer, redisServer } from '../../helpers/redis.ts'
import { manualTimers } from '../../helpers/timers.ts'
import { metric } from '../../helpers/vending.ts'
import { everybody, people, rig, within } from './rig.ts'
import { watchCrashes } from './watch.ts'

const crashes = watchCrashes()

const MINUTE_MS = 60_000
const HOURS = 10
const TICK_MINUTES = 3
/** Of which each is there for two hours, and every few minutes comes another. */
const CALLERS = 120
const STAY_MINUTES = 120
const EVERY_MINUTES = 4

/** What happens to Redis, by the minute. */
const REDIS: Readonly<Record<number, (redis: RedisServer) => unknown>> = {
  120: ({ kill }) => kill(),
  150: ({ start }) => start(),
  270: ({ pause }) => pause(),
  300: ({ resume }) => resume(),
  420: async ({ kill, start }) => {
    await kill()
    await start()
  },
}
/** For so long after a trouble with Redis, replicas may have sessions of their own. */
const APART_MINUTES = 75

const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

t.test('ten hours, in which callers come and go, and Redis too', needsRedis, async (t) => {
  const redis = await redisServer(t)
  const before = sockets()
  const timers = manualTimers()
  /** When Redis had trouble: by plan, or because it was too slow for one of the replicas on a machine that is busy. */
  const trouble: number[] = []
  let errors = 0
  let built = 0
  const asked: { request: AssumeRoleRequest; minute: number; replica: number }[] = []
  let minute = 0

  const setUp = await rig(t, {
    replicas: 2,
    env: { REDIS_URL: redis.url },
    dependencies(_config, clock) {
      const replica = built++
      const source: CredentialSource = {
        async assumeRole(request) {
          const id = asked.push({ request, minute, replica })
          const expiresAt = clock.now() + request.durationSeconds * 1000
          return { accessKey: `a${id}`, secretKey: `s${id}`, sessionToken: `t${id}`, expiresAt }
        },
        close: async () => {},
      }
      return { source, clock: { ...clock, every: timers.every } }
    },
  })
  const ticking = timers.running()
  const names = people(CALLERS)
  const refused: string[] = []
  let held = 0

  for (; minute < HOURS * 60; minute += TICK_MINUTES) {
    const happens = REDIS[minute]
    if (happens) trouble.push(minute)
    await happens?.(redis)
    const present = names.filter((_, n) => minute >= n * EVERY_MINUTES && minute < n * EVERY_MINUTES + STAY_MINUTES)
    for (const replica of [0, 1]) {
      for (const { sub, code, credentials } of await everybody(setUp, present, { replica })) {
        const left = credentials ? (Date.parse(credentials.expiration) - setUp.truth()) / MINUTE_MS : 0
        if (left < 15) refused.push(`${sub} at minute ${minute}: ${code ?? `${left} minutes`}`)
      }
      await setUp.idle()
    }
    held = Math.max(held, await metric(setUp.metrics[0] ?? never(), 'oss_vend_cache_entries'))
    const now = await Promise.all(setUp.metrics.map((one) => metric(one, 'oss_vend_redis_errors_total')))
    const sum = now.reduce((a, b) => a + b)
    if (sum > errors) trouble.push(minute)
    errors = sum
    await timers.tick()
    setUp.pass(TICK_MINUTES * MINUTE_MS)
  }
  t.strictSame(refused, [], 'nobody is refused, or handed what is nearly over')

  // Each session is an hour, so that at most two are needed in each of the two hours for which its caller stays.
  const isApart = (at: number) => trouble.some((from) => at >= from && at < from + APART_MINUTES)
  const early = names.flatMap((sub) => {
    const calls = asked.filter(({ request }) => request.roleSessionName === `user-upload@${sub}`)
    return calls.flatMap(({ minute, replica }, n) => {
      const previous = calls.slice(0, n).findLast((one) => one.replica === replica || !isApart(minute))
      return previous && minute - previous.minute < 30 ? [`${sub}: ${previous.minute}, ${minute} by ${replica}`] : []
    })
  })
  t.strictSame(
    early,
    [],
    'STS is asked at most once for a grant in half a session, by each replica while they are apart',
  )
  const perCaller = STAY_MINUTES / 30
  t.ok(
    asked.length <= CALLERS * perCaller * 1.5,
    `${asked.length} calls for ${CALLERS} callers of ${STAY_MINUTES} minutes`,
  )

  // 30 are there at a time, and a session is held for up to an hour after its caller has gone; what is over goes when
  // something else comes. Without an end it would be all of them.
  t.ok(held <= (STAY_MINUTES + 60) / EVERY_MINUTES + 20 && held < CALLERS, `at most ${held} entries at a time`)
  await within(t, 'no timer but those of the service itself is left', () => setUp.timers() === 0)
  t.equal(timers.running(), ticking)
  const admin = connectTo(t, redis)
  t.ok((await admin.keys('oss-vend:*:session')).length <= CALLERS, 'Redis has a session for each caller at most')
  t.strictSame(await admin.keys('oss-vend:*:lease'), [], 'and nobody holds a lease')
  await admin.quit()
  await within(t, 'each replica has one connection to Redis', () => sockets() - before === setUp.apps.length)
  for (const app of setUp.apps) await app.close()
  t.equal(timers.running(), 0)
  t.equal(setUp.timers(), 0)
  await within(t, 'and none when it has ended', () => sockets() === before)
  t.strictSame(crashes, [])
})

function never(): never {
  throw new Error('there is no replica')
}
