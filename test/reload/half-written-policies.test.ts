import { writeFileSync } from 'node:fs'
import t from 'tap'
import type { LintSettings } from '../../src/policy/check/lint/rule.ts'
import { good, lintSettings, live } from './live.ts'

t.test('a set that is still being written is left alone', async (t) => {
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

/** Settings that call a function in the middle of a load, where the issuers are asked for. */
const hooked = (during: () => void): LintSettings => ({
  ...lintSettings,
  get issuers() {
    during()
    return ['app']
  },
})

t.test('a set that changes while it is read is not swapped in', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('a1'), 'b.yaml': good('b1') })
  let writes = 0
  let change = () => {}
  const policies = await live(
    directory,
    hooked(() => change()),
  )
  t.test('it is read again, and then is one set', async (t) => {
    change = () => {
      change = () => {}
      writeFileSync(`${directory}/a.yaml`, good('a22'))
      writeFileSync(`${directory}/b.yaml`, good('b22'))
    }
    await policies.look('asked')
    t.strictSame(policies.served(), { a: 'a22', b: 'b22' })
    t.equal(policies.outcomes().length, 2, 'and half of it was never told')
  })
  t.test('one that never settles', async (t) => {
    change = () => writeFileSync(`${directory}/a.yaml`, good('a'.repeat((writes++ % 50) + 5)))
    await policies.look('asked')
    t.strictSame(policies.served(), { a: 'a22', b: 'b22' })
    t.strictSame(policies.outcomes().slice(2), ['refused'], 'is told: whoever asked would wait for it')
    t.ok(writes < 500, 'is not read forever')
    change = () => {}
    await policies.settle()
    t.strictSame(policies.outcomes().slice(2), ['refused', 'loaded'], 'and is loaded when it does')
  })
})

t.test('what is no template may change as it likes', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('1'), 'notes.log': '' })
  const policies = await live(
    directory,
    hooked(() => writeFileSync(`${directory}/notes.log`, String(performance.now()))),
  )
  writeFileSync(`${directory}/a.yaml`, good('22'))
  await policies.look('asked')
  t.strictSame(policies.served(), { a: '22' })
})

t.test('two reloads at once: the second sees what was written before it was asked for', async (t) => {
  const directory = t.testdir({ 'a.yaml': good('1') })
  const policies = await live(directory)
  const first = policies.look('asked')
  writeFileSync(`${directory}/a.yaml`, good('22'))
  const second = policies.look('asked')
  await policies.look('clock')
  await Promise.all([first, second])
  t.strictSame(policies.served(), { a: '22' })
  t.strictSame(policies.outcomes(), ['loaded', 'loaded', 'loaded'], 'and the poll started none of its own')
  await policies.settle()
  t.equal(policies.outcomes().length, 3)
})

t.test('what changed while the service started is found', async (t) => {
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
