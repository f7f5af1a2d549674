import t from 'tap'
import { followList } from '../../src/denylist/follow-list.ts'
import { byKey } from '../../src/denylist/record.ts'

t.test('a slow read of the list puts the lifting of an entry late, never too early', async (t) => {
  const time = { monotonic: 1000 }
  const records = byKey([{ by: 'subject', issuer: 'app', name: 'alice', denied: false, at: 50_000 }])
  const seen: unknown[] = []
  const list = {
    version: async () => ({ version: 'a', redisNow: 50_000 }),
    async read() {
      time.monotonic += 200
      // The entry was lifted while the read was on its way.
      return { records, redisNow: 50_000, version: 'a', writtenAt: 50_000, implausible: false }
    },
    write: async () => true,
  }
  const follower = followList(list, {
    monotonic: () => time.monotonic,
    take: (_records, at) => void seen.push(at),
    looked: (fault) => t.equal(fault, undefined),
    implausible: () => t.fail('the list is good'),
  })
  await follower.look()
  t.strictSame(seen, [{ monotonic: 1200, redis: 50_000 }])
})
