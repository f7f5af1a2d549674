import t from 'tap'
import { needsRedis, redisServer } from '../../helpers/redis.ts'
import { refusalFaults, servedFaults, sessionFaults, slowness } from './expect.ts'
import { everybody, people, rig } from './rig.ts'
import { settleIn } from './sts-course.ts'
import { watchCrashes } from './watch.ts'

const crashes = watchCrashes()

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** One interval of the circuit breaker. */
const INTERVAL_MS = 5000

const steps = [
  { name: 'an hour ahead', ms: HOUR_MS },
  { name: 'an hour back', ms: -HOUR_MS },
]

for (const { name, ms } of steps) {
  t.test(`the clock is set ${name}`, needsRedis, async (t) => {
    const { url } = await redisServer(t)
    const setUp = await rig(t, { replicas: 2, env: { REDIS_URL: url } })
    const living = people(20, 'living')
    const keys = await settleIn(t, setUp, living)

    setUp.step(ms)
    for (const replica of [0, 1]) {
      const answers = await everybody(setUp, living, { replica })
      t.strictSame(servedFaults(setUp, answers), [], `whoever has a session is served by replica ${replica}`)
      t.strictSame(
        answers.map(({ credentials }) => credentials?.accessKey),
        keys,
      )
      const refused = await everybody(setUp, people(5, `newcomer-${replica}`), { replica })
      t.strictSame(
        refused.flatMap((one) => refusalFaults(one, ['upstream_denied'])),
        [],
        'STS takes no signature of this date, which is for the operator',
      )
      t.strictSame(slowness(refused), [])
    }

    setUp.step(-ms)
    setUp.pass(INTERVAL_MS)
    const all = [...living, ...people(5, 'newcomer-0')]
    for (const replica of [0, 1]) t.strictSame(servedFaults(setUp, await everybody(setUp, all, { replica })), [])
    t.strictSame(crashes, [])
  })

  t.test(`the clock is set ${name}, and time goes by`, async (t) => {
    const setUp = await rig(t)
    const living = people(20, 'living')
    await settleIn(t, setUp, living)
    setUp.step(ms)
    setUp.pass(44 * MINUTE_MS)
    t.strictSame(servedFaults(setUp, await everybody(setUp, living)), [], 'while there is enough left')
    setUp.pass(2 * MINUTE_MS)
    const late = await everybody(setUp, living)
    t.strictSame(
      late.flatMap((one) => refusalFaults(one, ['upstream_denied'])),
      [],
      'and nobody is handed what is nearly over',
    )
    setUp.step(-ms)
    setUp.pass(INTERVAL_MS)
    t.strictSame(servedFaults(setUp, await everybody(setUp, living)), [])
  })
}

t.test('clocks that are apart by what STS lets pass', async (t) => {
  for (const minutes of [-14, -5, 5, 14]) {
    const setUp = await rig(t)
    setUp.step(minutes * MINUTE_MS)
    for (const sub of people(3, `from-${minutes}`)) {
      t.strictSame(sessionFaults(setUp, await setUp.vend(sub)), [], `${sub}: served, and told no later end`)
    }
  }
})

t.test('the clock of Redis is set back, so that it keeps sessions for longer than they live', needsRedis, async (t) => {
  const { url } = await redisServer(t)
  const setUp = await rig(t, { replicas: 2, env: { REDIS_URL: url } })
  const living = people(20, 'living')
  await settleIn(t, setUp, living)
  for (const minutes of [50, 50, 20, 90]) {
    // Nothing that Redis would see.
    setUp.pass(minutes * MINUTE_MS)
    for (const replica of [1, 0]) {
      t.strictSame(servedFaults(setUp, await everybody(setUp, living, { replica })), [], `${minutes} minutes later`)
    }
  }
  t.strictSame(crashes, [])
})
