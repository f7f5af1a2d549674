import type { Test } from 'tap'
import { needsRedis, type RedisServer, redisServer } from '../../helpers/redis.ts'
import { servedFaults } from './expect.ts'
import { type Meddle, redisProxy } from './redis-proxy.ts'
import { everybody, people, type Rig, rig, within } from './rig.ts'
import { settleIn } from './sts-course.ts'
import { memoryMb, watchCrashes } from './watch.ts'

/** After it, Redis is asked again. */
const REST_MS = 1000
const ROUNDS = 8
const MEMORY_MB = 8

/** A fault of Redis. */
export type Row = Readonly<{
  name: string
  begin: (redis: RedisServer, meddle: (how: Meddle) => void) => unknown
  end?: (redis: RedisServer) => unknown
}>

/** Goes through each of these faults with two replicas, of which one has the sessions in memory, too. */
export function eachFaultOfRedis(t: Test, rows: readonly Row[]): void {
  const crashes = watchCrashes()
  for (const { name, begin, end } of rows) {
    t.test(`Redis ${name}`, needsRedis, async (t) => {
      const redis = await redisServer(t)
      const proxy = await redisProxy(t, redis.port)
      const setUp = await rig(t, { replicas: 2, env: { REDIS_URL: proxy.url } })
      const here = people(20, 'here')
      const memory = memoryMb()
      const keys = await settleIn(t, setUp, here)
      await mustShare(t, setUp, 'before')

      await begin(redis, proxy.set)
      const found: string[] = []
      let level = 0
      for (let round = 0; round < ROUNDS; round++) {
        const same = await everybody(setUp, here)
        if (same.some(({ credentials }, n) => credentials?.accessKey !== keys[n])) found.push('a session was replaced')
        // Their sessions are where this replica cannot get at them, or can: either way they must be served.
        const elsewhere = await everybody(setUp, here.slice(2 * round, 2 * round + 2), { replica: 1 })
        const newcomers = await everybody(setUp, people(5, `newcomer-${round}`), { replica: round % 2 })
        found.push(...servedFaults(setUp, [...same, ...elsewhere, ...newcomers]))
        setUp.pass(REST_MS)
        if (round === 2) level = memory()
      }
      t.strictSame(found, [], 'while it lasts everybody is served')
      const grown = memory() - level
      t.ok(grown < MEMORY_MB, `memory has grown by ${grown.toFixed(1)} MB`)

      await end?.(redis)
      proxy.set(undefined)
      await mustShare(t, setUp, 'after')
      t.strictSame(servedFaults(setUp, await everybody(setUp, here)), [])
      t.strictSame(crashes, [], 'nothing that nobody caught')
    })
  }
}

/** Within one interval of the breaker the replicas share again: what one got is what the other hands out. */
async function mustShare(t: Test, setUp: Rig, when: string): Promise<void> {
  let attempt = 0
  await within(t, `${when} it, replicas share`, async () => {
    const sub = `shared-${when}-${attempt++}`
    const [one, other] = [await setUp.vend(sub), await setUp.vend(sub, { replica: 1 })]
    return one.status === 200 && one.credentials.accessKey === other.credentials?.accessKey
  })
}
