import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { byKey, MAX_AGE_MS } from '../../src/denylist/record.ts'
import { createSeal } from '../../src/sessions/seal.ts'
import { tokenOf } from '../denylist/harness.ts'
import { AES_KEY, pollUntil, sharing } from '../denylist/shared.ts'
import { needsRedis } from '../helpers/redis.ts'
import { metric } from '../helpers/vending.ts'

const DENIED = '403 caller_denied'
const OTHER_KEY = randomBytes(32).toString('base64')

/** A replica that knows that alice is denied, and that bob was, and the lists that were in Redis on the way. */
async function history(t: Test) {
  const shared = await sharing(t)
  const { admin, deny, allow, replica } = shared
  const lists: Buffer[] = []
  const place = async () => await shared.place()
  const note = async () => lists.push((await admin.getBuffer(await place())) ?? Buffer.alloc(0))
  await deny({ subject: 'bob' })
  await note()
  await allow({ subject: 'bob' })
  await note()
  await deny({ subject: 'alice' })
  await note()
  const one = await replica()
  const answers = async () => [await one.vend(), await one.vend(tokenOf('bob')), await one.vend(tokenOf('carol'))]
  return { ...shared, lists, one, answers, key: await place() }
}

type Meddle = (redis: Redis, place: string, lists: readonly Buffer[]) => Promise<unknown>
const sealedBy = (key: string, text: string, name = 'oss-vend denylist') =>
  createSeal([Buffer.from(key, 'base64')]).seal(name, text)
const everybody = JSON.stringify({
  writtenAt: Date.now(),
  records: [{ by: 'issuer', issuer: 'app', name: '', denied: true, at: Date.now() }],
})

t.test('a writer to Redis denies nobody, and lifts nothing that a replica knows', needsRedis, async (t) => {
  const rows: { name: string; meddle: Meddle; implausible: number }[] = [
    { name: 'deletes the list', meddle: (redis, place) => redis.del(place), implausible: 0 },
    {
      name: 'puts back the list before the entry',
      meddle: (redis, place, [, old = '']) => redis.set(place, old),
      implausible: 0,
    },
    {
      name: 'puts back the list in which another was denied',
      meddle: (redis, place, [old = '']) => redis.set(place, old),
      implausible: 0,
    },
    { name: 'writes text', meddle: (redis, place) => redis.set(place, everybody), implausible: 1 },
    {
      name: 'writes another type',
      meddle: async (redis, place) => redis.multi().del(place).rpush(place, 'x').exec(),
      implausible: 1,
    },
    {
      name: 'cuts the list off',
      meddle: (redis, place, lists) => redis.set(place, lists[2]?.subarray(0, -1) ?? ''),
      implausible: 1,
    },
    { name: 'changes a byte', meddle: (redis, place) => redis.setrange(place, 100, 'x'), implausible: 1 },
    {
      name: 'changes a byte of what is looked at',
      meddle: (redis, place) => redis.setrange(place, 20, 'x'),
      implausible: 1,
    },
    {
      name: 'seals with a key of their own',
      meddle: (redis, place) => redis.set(place, sealedBy(OTHER_KEY, everybody)),
      implausible: 1,
    },
    {
      name: 'moves what was sealed under another name',
      meddle: (redis, place) => redis.set(place, sealedBy(AES_KEY, everybody, 'alice')),
      implausible: 1,
    },
    {
      name: 'writes more than a list can be',
      meddle: (redis, place) => redis.set(place, Buffer.alloc(2 * 1024 * 1024, 2)),
      implausible: 1,
    },
  ]
  for (const { name, meddle, implausible } of rows) {
    t.test(name, async (t) => {
      const { admin, key, lists, one, answers, list } = await history(t)
      t.strictSame(await answers(), [DENIED, 200, 200])
      await meddle(admin, key, lists)
      await one.poll()
      t.strictSame(await answers(), [DENIED, 200, 200])
      const count = () => metric(one.metrics, 'oss_vend_redis_implausible_total', { what: 'denylist' })
      t.equal(await count(), implausible)
      // The replica puts the list back; where it has just done so, two seconds later.
      await pollUntil(one, async () => (await list().read()).records.size === 2)
      t.strictSame(await answers(), [DENIED, 200, 200])
    })
  }
})

t.test('a list older than a month is refused', needsRedis, async (t) => {
  const { admin, deny, place, list, replica } = await sharing(t)
  await deny({ subject: 'alice' })
  const now = Date.now()
  const bob = { by: 'subject', issuer: 'app', name: 'bob', denied: true, at: now - MAX_AGE_MS - 1000 } as const
  const { version } = await list().version()
  t.ok(await list().write(byKey([bob]), { version, redisNow: now - MAX_AGE_MS - 1000 }))
  const one = await replica()
  t.strictSame([await one.vend(), await one.vend(tokenOf('bob'))], [200, 200])
  t.ok(await place())
  await admin.flushall()
})

t.test('a list is written again each day, so that it never grows too old', needsRedis, async (t) => {
  const { admin, deny, list, place, replica } = await sharing(t)
  await deny({ subject: 'alice' })
  const { version, records, redisNow } = await list().read()
  const yesterday = redisNow - 86_400_001
  await list().write(records, { version, redisNow: yesterday })
  const one = await replica()
  await pollUntil(one, async () => (await list().read()).writtenAt > yesterday)
  t.equal(await one.vend(), DENIED)
  t.ok((await admin.pttl(await place())) > 29 * 86_400_000, 'and Redis forgets it when no replica is left')
})

t.test('a reader of Redis learns nothing', needsRedis, async (t) => {
  const { admin, deny, place } = await sharing(t)
  await deny({ subject: 'somebody-with-a-name', reason: 'a-reason-to-hide' })
  await deny({ tokenId: 'an-id-of-a-token' })
  const key = await place()
  const all = `${key} ${await admin.getBuffer(key)}`
  t.notMatch(all, /somebody|reason|an-id|app/u)
  t.match(key, /^oss-vend:\{[\w-]{43}\}:deny$/u)
})

t.test('no line of the log and no metric names who is denied', needsRedis, async (t) => {
  const { deny, replica } = await sharing(t)
  const one = await replica()
  await deny({ subject: 'somebody' })
  await deny({ tokenId: 'some-token' })
  await one.poll()
  await one.vend(tokenOf('somebody'))
  await one.vend(tokenOf('bob', 'some-token'))
  t.match(one.logs.text(), 'the denylist has changed')
  t.notMatch(one.logs.text(), /somebody|some-token/u)
  t.notMatch(await one.metrics.metrics(), /somebody|some-token/u)
})

t.test('a full Redis, or one that takes no writes, keeps nobody from being refused', needsRedis, async (t) => {
  const { admin, deny, replica } = await sharing(t)
  await deny({ subject: 'alice' })
  const one = await replica()
  await admin.config('SET', 'maxmemory', '1')
  await one.poll()
  t.strictSame([await one.vend(), await one.stale()], [DENIED, 0])
  const full = await deny({ subject: 'bob' }).catch((error: unknown) => String(error))
  t.match(full, /Redis failed \(OOM\)/u)
})
