import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { denying, STALE, tokenOf } from '../denylist/harness.ts'
import { configMap } from './live.ts'

const deny = (...subjects: string[]) =>
  JSON.stringify({ subjects: subjects.map((subject) => ({ subject, issuer: 'app' })) })

async function start(t: Test, text: string) {
  const dir = t.testdir({ deny: text })
  const file = `${dir}/deny`
  const service = await denying(t, { env: { DENY_FILE: file } })
  const both = async () => [await service.vend(tokenOf('alice')), await service.vend(tokenOf('bob'))]
  return { ...service, dir, file, both, write: (text: string) => writeFileSync(file, text) }
}

const DENIED = '403 caller_denied'

t.test('a changed file is in force without a restart, and an entry that it drops is lifted', async (t) => {
  const { both, write, looks, entries, stale, said } = await start(t, deny('alice'))
  t.strictSame(await both(), [DENIED, 200])
  write(deny('alice', 'bob'))
  await looks(1)
  t.strictSame(await both(), [DENIED, 200], 'a file that was seen once may be half written')
  await looks(1)
  t.strictSame(await both(), [DENIED, DENIED])
  t.equal(await entries('file'), 2)
  write('{}')
  await looks()
  t.strictSame(await both(), [200, 200])
  t.strictSame([await entries('file'), await stale()], [0, 0])
  t.match(said('the denylist has changed'), [{ subjects: 1 }, { subjects: 2 }, { source: 'file', subjects: 0 }])
})

t.test('SIGHUP reads it at once', async (t) => {
  const { both, write, reload } = await start(t, '{}')
  write(deny('bob'))
  await reload()
  t.strictSame(await both(), [200, DENIED])
})

t.test('a file that is no good lifts nothing', async (t) => {
  const rows: { name: string; damage: (file: string) => void }[] = [
    { name: 'not YAML', damage: (file) => writeFileSync(file, 'subjects: [') },
    { name: 'empty', damage: (file) => writeFileSync(file, '') },
    { name: 'white space', damage: (file) => writeFileSync(file, ' \n') },
    { name: 'one bad entry', damage: (file) => writeFileSync(file, '{"subjects":[{"subject":"bob"}]}') },
    { name: 'an unknown issuer', damage: (file) => writeFileSync(file, '{"issuers":[{"issuer":"other"}]}') },
    { name: 'too large', damage: (file) => writeFileSync(file, `# ${'x'.repeat(1024 * 1024)}\n{}`) },
    { name: 'missing', damage: (file) => rmSync(file) },
    {
      name: 'a folder',
      damage(file) {
        rmSync(file)
        mkdirSync(file)
      },
    },
  ]
  for (const { name, damage } of rows) {
    t.test(name, async (t) => {
      const { both, looks, dir, file, entries, stale, said } = await start(t, deny('alice'))
      t.equal(await stale(), 0)
      damage(file)
      await looks(5)
      t.strictSame(await both(), [DENIED, 200])
      t.strictSame([await entries('file'), await stale()], [1, 1])
      t.match(said(STALE), [{ level: 50, source: 'file' }], 'told once')
      t.equal(said(STALE).length, 1)
      t.notMatch(JSON.stringify(said(STALE)), 'bob')

      rmSync(file, { recursive: true, force: true })
      writeFileSync(`${dir}/next`, deny('bob'))
      renameSync(`${dir}/next`, file)
      await looks()
      t.strictSame(await both(), [200, DENIED])
      t.equal(await stale(), 0)
    })
  }
})

t.test('the old file, put back, is good at once', async (t) => {
  const { write, looks, stale, both } = await start(t, deny('alice'))
  write('subjects: [')
  await looks()
  t.equal(await stale(), 1)
  write(deny('alice'))
  await looks(1)
  t.equal(await stale(), 0)
  t.strictSame(await both(), [DENIED, 200])
})

t.test('a file that keeps changing is read once it stays the same', async (t) => {
  const { write, looks, both } = await start(t, deny('alice'))
  for (const name of ['b', 'bo', 'bob']) {
    write(deny(name))
    await looks(1)
    t.strictSame(await both(), [DENIED, 200])
  }
  await looks(1)
  t.strictSame(await both(), [200, DENIED])
})

t.test('a file that Kubernetes mounts', async (t) => {
  const mounted = configMap(t, { deny: deny('alice') })
  const service = await denying(t, { env: { DENY_FILE: `${mounted.directory}/deny` } })
  t.equal(await service.vend(), DENIED)
  mounted.swap({ deny: deny('bob') })
  await service.looks()
  t.equal(await service.vend(), 200)
})

t.test('an entry ends by its date', async (t) => {
  let now = Date.now()
  const until = new Date(now + 60_000).toISOString()
  const entry = { subject: 'alice', issuer: 'app', until }
  const file = `${t.testdir({ deny: JSON.stringify({ subjects: [entry] }) })}/deny`
  const service = await denying(t, { env: { DENY_FILE: file }, dependencies: { now: () => now } })
  t.strictSame([await service.vend(), await service.entries('file')], [DENIED, 1])
  now += 60_001
  t.strictSame([await service.vend(), await service.entries('file')], [200, 0])
})
