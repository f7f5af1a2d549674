import { randomBytes } from 'node:crypto'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { closable } from '../../src/lib/clock.ts'
import { sessionMetrics } from '../../src/observe/sessions.ts'
import { redisCache } from '../../src/sessions/redis-cache.ts'
import { createSeal } from '../../src/sessions/seal.ts'
import { createSessions } from '../../src/sessions/sessions.ts'
import type { CredentialSource } from '../../src/sts/credentials.ts'
import { manualClock } from '../helpers/clock.ts'
import {
  countingSource,
  credentials,
  failure,
  grantOf,
  heldSource,
  keyOf,
  metric,
  needsOf,
  onlyTarget,
  quietLogger,
} from '../helpers/vending.ts'

const OPTIONS = {
  maxEntries: 100,
  maxBytes: 1e6,
  minValiditySeconds: 900,
  deadlineMs: 5000,
  maxRps: 1000,
  connections: 4,
  timeoutMs: 4000,
  newSessionsPerMinute: 0,
}
const QUARTER = 900

function setUp(t: Test, sourceOf: (now: () => number) => CredentialSource) {
  const clock = manualClock()
  const metrics = new Registry()
  const dependencies = {
    upstreams: onlyTarget(sourceOf(clock.now)),
    keyOf,
    clock,
    logger: quietLogger(),
    metrics: sessionMetrics(metrics),
    random: () => 0.5,
  }
  const sessions = createSessions(OPTIONS, dependencies)
  t.teardown(() => sessions.close())
  const ask = (durationSeconds: number) =>
    sessions.session(grantOf('alice', { durationSeconds }), needsOf(clock.monotonic() + 5000))
  const kept = () => metric(metrics, 'oss_vend_cache_entries')
  return { clock, ask, kept }
}

t.test('each vend of a session of 15 minutes asks STS, and keeps nothing', async (t) => {
  const held = heldSource()
  const { clock, ask, kept } = setUp(t, () => held.source)
  for (let vends = 1; vends <= 3; vends++) {
    const vend = ask(QUARTER)
    const asked = clock.now()
    await clock.advance(20)
    held.asked[vends - 1]?.pay(credentials(vends, asked + 900_000))
    t.match(await vend, { accessKey: `access-${vends}`, from: 'sts', lengthMs: 900_000 })
  }
  t.equal(await kept(), 0)
})

t.test('callers who ask at the same time share one session, however long STS takes', async (t) => {
  const held = heldSource()
  const { clock, ask } = setUp(t, () => held.source)
  const vends = [ask(QUARTER), ask(QUARTER)]
  await clock.advance(3900)
  t.equal(held.asked.length, 1)
  held.asked[0]?.pay(credentials(1, clock.now() - 3900 + 900_000))
  const keys = (await Promise.all(vends)).map(({ accessKey }) => accessKey)
  t.strictSame(keys, ['access-1', 'access-1'])
})

t.test('a session of a little more is kept while 15 minutes of it are left', async (t) => {
  const { clock, ask } = setUp(t, (now) => countingSource(now).source)
  t.match(await ask(1000), { accessKey: 'access-1', from: 'sts' })
  await clock.advance(99_000)
  t.match(await ask(1000), { accessKey: 'access-1', from: 'cache' })
  await clock.advance(1001)
  t.match(await ask(1000), { accessKey: 'access-2', from: 'sts' })
})

t.test('an STS whose clock is behind gives less: half of the session is enough', async (t) => {
  const rows = [
    { seconds: 900, behind: 120, want: undefined },
    { seconds: 900, behind: 450, want: undefined },
    { seconds: 900, behind: 451, want: 'upstream_unavailable' },
    { seconds: 3600, behind: 2700, want: undefined },
    { seconds: 3600, behind: 2701, want: 'upstream_unavailable' },
  ]
  for (const { seconds, behind, want } of rows) {
    const { ask } = setUp(t, (now) => countingSource(() => now() - behind * 1000).source)
    t.equal((await failure(ask(seconds)))?.code, want, `${behind} of ${seconds}`)
  }
})

t.test('replicas do not wait for each other where they have nothing to share', async (t) => {
  const clock = manualClock()
  let asked = 0
  const link = {
    ask: async () => {
      asked++
      return undefined
    },
    implausible: () => {},
    close: () => {},
  }
  const session = { ...credentials(1, clock.now() + 900_000), endsAt: 900_000, lengthMs: 900_000, from: 'sts' } as const
  const sessions = redisCache(
    { session: async () => session, close: async () => {} },
    {
      link,
      seal: createSeal([randomBytes(32)]),
      keyOf,
      minValidityMs: 900_000,
      clock: closable(clock),
      random: Math.random,
      metrics: sessionMetrics(new Registry()),
    },
  )
  await sessions.session(grantOf('alice', { durationSeconds: QUARTER }), needsOf(5000))
  t.equal(asked, 0, 'Redis is not asked')
  await sessions.session(grantOf('alice', { durationSeconds: QUARTER + 1 }), needsOf(5000))
  t.ok(asked > 0, 'and for longer sessions it is')
})
