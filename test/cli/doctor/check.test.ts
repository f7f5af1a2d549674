import t from 'tap'
import { createChecks, failed, passed, readValue } from '../../../src/cli/doctor/check.ts'
import { inTurn } from '../../../src/cli/doctor/in-turn.ts'
import { runChecks } from '../../../src/cli/doctor/report.ts'
import { manualClock, settle } from '../../helpers/clock.ts'

const group = 'g'

t.test('a check runs once, after those that it needs, and reads their values', async (t) => {
  const check = createChecks(manualClock())
  let runs = 0
  const first = check({
    group,
    name: 'first',
    run: async () => {
      runs++
      return { lines: [passed('a')], value: 7 }
    },
  })
  const second = check({
    group,
    name: 'second',
    needs: [first],
    run: async () => ({ lines: [passed(`has ${await readValue(first)}`)] }),
  })
  const third = check({ group, name: 'third', needs: [second], run: async () => ({ lines: [passed('never')] }) })
  const done: number[] = []
  const lines = await runChecks([third, second, first], (number) => done.push(number))
  t.strictSame(
    lines.map(({ name, status, message }) => [name, status, message]),
    [
      ['third', 'not_checked', 'not checked: "second" comes first'],
      ['second', 'passed', 'has 7'],
      ['first', 'passed', 'a'],
    ],
  )
  t.equal(runs, 1)
  t.strictSame(done, [1, 2, 3])
  await t.rejects(readValue(second), /not among those that are needed/u)
})

t.test('what fails in an unexpected way is a cross without its message', async (t) => {
  const check = createChecks(manualClock())
  const broken = check({
    group,
    name: 'broken',
    run: () => Promise.reject(new TypeError('SENTINEL')),
  })
  const after = check({ group, name: 'after', needs: [broken], run: async () => ({ lines: [passed('never')] }) })
  const lines = await runChecks([broken, after])
  t.match(lines, [{ status: 'failed', message: 'the check itself failed: TypeError' }, { status: 'not_checked' }])
  t.notMatch(JSON.stringify(lines), /SENTINEL/u)
})

t.test('a check that never ends is a cross after two minutes', async (t) => {
  const clock = manualClock()
  const check = createChecks(clock)
  const hung = check({ group, name: 'hung', run: () => new Promise<never>(() => {}) })
  const lines = runChecks([hung])
  await clock.advance(119_999)
  t.equal(clock.timers(), 1)
  await clock.advance(1)
  t.match(await lines, [{ status: 'failed', message: 'was not finished after 120 seconds' }])
  const quick = check({ group, name: 'quick', run: async () => ({ lines: [failed('x', 'y')] }) })
  await quick.outcome()
  t.equal(clock.timers(), 0, 'and one that ends leaves no timer')
})

t.test('tasks run in their order, no more than so many at a time', async (t) => {
  const turn = inTurn(2)
  const ends: (() => void)[] = []
  const begun: number[] = []
  const task = (number: number) =>
    turn(() => {
      begun.push(number)
      return new Promise<void>((resolve) => ends.push(resolve))
    })
  const tasks = [1, 2, 3, 4].map(task)
  t.strictSame(begun, [1, 2])
  ends[1]?.()
  await settle()
  t.strictSame(begun, [1, 2, 3])
  ends[0]?.()
  await settle()
  t.strictSame(begun, [1, 2, 3, 4])
  for (const end of ends) end()
  await Promise.all(tasks)
  await t.rejects(
    turn(() => Promise.reject(new Error('x'))),
    /x/u,
  )
  t.equal(await turn(async () => 1), 1, 'a task that fails gives its turn back')
})
