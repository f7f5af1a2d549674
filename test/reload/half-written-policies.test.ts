import { writeFileSync } from 'node:fs'
import t from 'tap'
import type { LintSettings } from '../../src/policy/check/lint/rule.ts'
import { good, lintSettings, live } from './live.ts'

t.test('a half-written set is not loaded', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('old') })
  const policies = await live(directory)
  for (let step = 1; step <= 4; step++) {
    writeFileSync(`${directory}/a.yaml`, good('x'.repeat(step)))
    await policies.look('clock')
    t.strictSame(policies.served(), { a: 'old' }, 'it has changed since the last look')
  }
  await policies.look('clock')
  t.strictSame(policies.served(), { a: 'xxxx' }, 'it has settled')
  t.equal(policies.outcomes().length, 2)
})

/** Settings that call a function in the middle of a load, when it reads the issuers. */
const hooked = (during: () => void): LintSettings => ({
  ...lintSettings,
  get issuers() {
    during()
    return ['app']
  },
})

t.test('a set that changes during the read is not used', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('a1'), 'b.yaml': good('b1') })
  let writes = 0
  let change = () => {}
  const policies = await live(
    directory,
    hooked(() => change()),
  )
  t.test('it is read again, as one set', async (t) => {
    change = () => {
      change = () => {}
      writeFileSync(`${directory}/a.yaml`, good('a22'))
      writeFileSync(`${directory}/b.yaml`, good('b22'))
    }
    await policies.look('asked')
    t.strictSame(policies.served(), { a: 'a22', b: 'b22' })
    t.equal(policies.outcomes().length, 2, 'and a half set is never reported')
  })
  t.test('a set that never settles', async (t) => {
    change = () => writeFileSync(`${directory}/a.yaml`, good('a'.repeat((writes++ % 50) + 5)))
    await policies.look('asked')
    t.strictSame(policies.served(), { a: 'a22', b: 'b22' })
    t.strictSame(policies.outcomes().slice(2), ['refused'], 'is reported, because the operator waits for a result')
    t.ok(writes < 500, 'is not read for ever')
    change = () => {}
    await policies.settle()
    t.strictSame(policies.outcomes().slice(2), ['refused', 'loaded'], 'and is loaded when it settles')
  })
})

t.test('files that are not templates may change', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('1'), 'notes.log': '' })
  const policies = await live(
    directory,
    hooked(() => writeFileSync(`${directory}/notes.log`, String(performance.now()))),
  )
  writeFileSync(`${directory}/a.yaml`, good('22'))
  await policies.look('asked')
  t.strictSame(policies.served(), { a: '22' })
})

t.test('of two concurrent reloads, the second reads files that were written before it', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('1') })
  const policies = await live(directory)
  const first = policies.look('asked')
  writeFileSync(`${directory}/a.yaml`, good('22'))
  const second = policies.look('asked')
  await policies.look('clock')
  await Promise.all([first, second])
  t.strictSame(policies.served(), { a: '22' })
  t.strictSame(policies.outcomes(), ['loaded', 'loaded', 'loaded'], 'and the poll started no load')
  await policies.settle()
  t.equal(policies.outcomes().length, 3)
})

t.test('a change during the start is found', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('1') })
  let change = () => writeFileSync(`${directory}/a.yaml`, good('22'))
  const policies = await live(
    directory,
    hooked(() => {
      change()
      change = () => {}
    }),
  )
  t.strictSame(policies.served(), { a: '1' })
  await policies.settle()
  t.strictSame(policies.served(), { a: '22' })
})
