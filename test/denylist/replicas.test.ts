import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { denyCommand } from '../../src/cli/deny/commands.ts'
import { byKey } from '../../src/denylist/record.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { capturedIo } from '../helpers/captured-io.ts'
import { run } from '../helpers/cli.ts'
import { slowClock } from '../helpers/clock.ts'
import { needsRedis, redisCluster } from '../helpers/redis.ts'
import { until } from '../helpers/until.ts'
import { denying, STALE, tokenOf } from './harness.ts'
import { AES_KEY, pollUntil, sharing } from './shared.ts'

const DENIED = '403 caller_denied'

t.test(
  'every replica refuses a denied caller after its next look, and serves it again once allowed',
  needsRedis,
  async (t) => {
    const { deny, allow, replicas, denied } = await sharing(t)
    const all = await replicas(2)
    const look = () => Promise.all(all.map(({ poll }) => poll()))
    const vends = (token = tokenOf()) => Promise.all(all.map(({ vend }) => vend(token)))
    t.strictSame(await vends(), [200, 200])

    t.equal((await deny({ subject: 'alice', reason: 'ticket 4711' })).exitCode, 0)
    await look()
    t.strictSame(await vends(), [DENIED, DENIED])
    t.strictSame(await vends(tokenOf('bob')), [200, 200])
    t.strictSame(await denied(), ['alice'])
    t.strictSame(await Promise.all(all.map(({ entries }) => entries('redis'))), [1, 1])

    const before = all.flatMap(({ asked }) => asked).length
    t.equal((await allow({ subject: 'alice' })).exitCode, 0)
    await look()
    t.strictSame([await all[0]?.vend(), await all[1]?.vend()], [200, 200])
    t.ok(all.flatMap(({ asked }) => asked).length > before, 'by a session that began after that')
    t.strictSame(await denied(), [])

    await deny({})
    await look()
    t.strictSame([...(await vends()), ...(await vends(tokenOf('bob')))], Array(4).fill(DENIED), 'a whole issuer')
    await allow({})
    await deny({ tokenId: 'stolen' })
    await look()
    t.strictSame(await vends(tokenOf('bob', 'stolen')), Array(2).fill('401 unauthenticated'))
    t.strictSame(await vends(tokenOf('bob', 'other')), [200, 200])
  },
)

t.test('a replica that missed the denial and the end of it hands out no session from before', needsRedis, async (t) => {
  const { deny, allow, replica } = await sharing(t)
  // Not the slow clock: an instant of Redis' clock is compared with one of this.
  const dependencies = { clock: systemClock() }
  const [one, other] = [await replica({ dependencies }), await replica({ dependencies })]
  t.strictSame([await one.vend(), await other.vend()], [200, 200])
  const before = one.asked.length + other.asked.length
  await deny({ subject: 'alice' })
  await allow({ subject: 'alice' })
  await other.poll()
  t.equal(await other.vend(), 200)
  t.equal(one.asked.length + other.asked.length, before + 1)
  t.equal(await other.vend(), 200)
  t.equal(one.asked.length + other.asked.length, before + 1, 'and keeps the new one')
})

t.test('a replica that starts later knows the list before it serves', needsRedis, async (t) => {
  const { deny, replica } = await sharing(t)
  await deny({ subject: 'alice' })
  t.equal(await (await replica()).vend(), DENIED)
})

t.test('an entry ends by its time', needsRedis, async (t) => {
  const { deny, replica, denied } = await sharing(t)
  let now = Date.now()
  const { vend, poll, entries } = await replica({ dependencies: { now: () => now } })
  await deny({ subject: 'alice', forMs: 3_600_000 })
  await poll()
  t.equal(await vend(), DENIED)
  t.strictSame(await denied(), ['alice'])
  now += 3_700_000
  t.strictSame([await vend(), await entries('redis')], [200, 0])
})

t.test('while Redis is down the entries stay in force, and the metric says so once it lasts', needsRedis, async (t) => {
  const { server, deny, replica } = await sharing(t)
  let ahead = 0
  const clock = slowClock()
  const one = await replica({
    dependencies: { clock: { ...clock, monotonic: () => clock.monotonic() + ahead } },
  })
  await deny({ subject: 'alice' })
  await one.poll()
  await server.kill()
  await pollUntil(one, async () => (await one.vend()) === DENIED)
  t.equal(await one.stale(), 0, 'for some seconds that is nothing to be woken for')
  ahead += 5001
  await pollUntil(one, async () => (await one.stale()) === 1)
  t.equal(await one.vend(), DENIED)
  t.equal(await one.vend(tokenOf('bob')), 200, 'others are served')
  t.match(one.said(STALE), [{ source: 'redis', reason: 'the list in Redis cannot be read' }])
  t.equal(one.said(STALE).length, 1)

  await server.start()
  ahead += 5000
  await pollUntil(one, async () => (await one.stale()) === 0)
  t.equal(await one.vend(), DENIED)
})

t.test(
  'a Redis that comes back empty is told again, and forgets neither what is denied nor what is allowed',
  needsRedis,
  async (t) => {
    const { server, deny, allow, replica, denied } = await sharing(t)
    const one = await replica()
    await deny({ subject: 'alice' })
    await deny({ subject: 'bob' })
    await allow({ subject: 'bob' })
    await one.poll()
    await server.kill()
    await server.start()
    await pollUntil(one, async () => (await denied()).length > 0)
    t.strictSame(await denied(), ['alice'])
    const later = await replica()
    t.strictSame([await later.vend(), await later.vend(tokenOf('bob'))], [DENIED, 200])
  },
)

t.test('an entry that is added to an empty Redis hides none that replicas know', needsRedis, async (t) => {
  const { admin, deny, replica, denied } = await sharing(t)
  const one = await replica()
  await deny({ subject: 'alice' })
  await one.poll()
  await admin.flushall()
  await deny({ subject: 'bob' })
  await pollUntil(one, async () => (await denied()).length === 2)
  t.strictSame((await denied()).toSorted(), ['alice', 'bob'])
})

t.test('a replica that starts while Redis is down serves with its file alone, and says so', async (t) => {
  const dir = t.testdir({ deny: '{"subjects":[{"subject":"alice","issuer":"app"}]}' })
  const env = { REDIS_URL: 'redis://127.0.0.1:1', CACHE_ENCRYPTION_KEY: AES_KEY, DENY_FILE: `${dir}/deny` }
  const one = await denying(t, { env })
  t.strictSame([await one.vend(), await one.vend(tokenOf('bob'))], [DENIED, 200])
  t.equal(await one.stale(), 1)
  t.match(one.said(STALE), [{ level: 50, source: 'redis', reason: 'the list in Redis has not been read yet' }])
  writeFileSync(`${dir}/deny`, '[')
  await one.looks()
  t.equal(one.said(STALE).length, 2, 'each source has a line of its own')
})

t.test('no request asks Redis for the list', needsRedis, async (t) => {
  const { admin, replica } = await sharing(t)
  const one = await replica()
  await one.vend()
  const seen: string[] = []
  const monitor = await admin.monitor()
  monitor.on('monitor', (_time: string, args: string[]) => seen.push(args.join(' ')))
  for (let i = 0; i < 5; i++) await one.vend()
  await one.poll()
  await one.poll()
  const looks = () => seen.filter((command) => /^eval .*:deny /u.test(command)).length
  await until(() => looks() >= 2)
  monitor.disconnect()
  t.equal(looks(), 2, 'only its looks do')
})

t.test('while the key of Redis is changed, the list is carried over', needsRedis, async (t) => {
  const { admin, deny, replica, list } = await sharing(t)
  const young = randomBytes(32).toString('base64')
  await deny({ subject: 'alice' })
  const both = await replica({ env: { CACHE_ENCRYPTION_KEY: `${young},${AES_KEY}` } })
  t.equal(await both.vend(), DENIED, 'a replica with both keys knows it')
  await pollUntil(both, async () => (await admin.keys('oss-vend:*:deny')).length === 2)
  t.equal((await list(young).read()).records.size, 1)
  const after = await replica({ env: { CACHE_ENCRYPTION_KEY: young } })
  t.equal(await after.vend(), DENIED, 'and one that has the new key alone, too')
})

t.test('an entry for an issuer that was renamed refuses nobody, and log and command say so', needsRedis, async (t) => {
  const { deny, replica, list, env } = await sharing(t)
  await deny({ subject: 'alice' })
  const { records, ...base } = await list().read()
  const renamed = [...records.values()].map((record) => ({ ...record, issuer: 'old-name' }))
  await list().write(byKey([...records.values(), ...renamed]), base)
  const { said, poll, vend } = await replica()
  await poll()
  t.equal(await vend(), DENIED)
  t.match(said('entries of the denylist name no issuer that is configured: they refuse nobody'), [
    { level: 40, source: 'redis', entries: 1 },
  ])
  const { out } = await run(['denied'], { env })
  t.match(out.split('\n').toSorted(), [
    '',
    /^redis {2}subject "alice" of issuer app, since [^(]*$/u,
    /of issuer old-name \(no issuer has this name: refuses nobody\), since /u,
  ])
  const { entries } = JSON.parse((await run(['denied', '--json'], { env })).out)
  const told = entries.map(({ issuer, unknownIssuer }: Record<string, unknown>) => [issuer, unknownIssuer])
  t.strictSame(told.toSorted(), [
    ['app', undefined],
    ['old-name', true],
  ])
})

t.test('two operators at a time lose nothing', needsRedis, async (t) => {
  const { deny, denied } = await sharing(t)
  const names = Array.from({ length: 6 }, (_, n) => `user-${n}`)
  const done = await Promise.all(names.map((subject) => deny({ subject })))
  t.ok(done.every(({ exitCode }) => exitCode === 0))
  t.strictSame((await denied()).toSorted(), names)
})

t.test('a cluster holds the list as well', needsRedis, async (t) => {
  const { port } = await redisCluster(t)
  const env = {
    REDIS_URL: `redis+cluster://127.0.0.1:${port}`,
    CACHE_ENCRYPTION_KEY: AES_KEY,
    REDIS_ALLOW_PLAINTEXT: 'true',
  }
  const one = await denying(t, { env, dependencies: { clock: slowClock() } })
  t.equal(await one.vend(), 200)
  const { io } = capturedIo(env, '')
  t.equal(await denyCommand(io, { subject: 'alice', issuer: 'app' }, { spreadMs: 0 }), 0)
  await one.poll()
  t.equal(await one.vend(), DENIED)
})
