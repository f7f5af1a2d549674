import t from 'tap'
import { createBreaker } from '../../src/sessions/breaker.ts'
import { Shed } from '../../src/sessions/shed.ts'

function breaker() {
  const time = { now: 0 }
  const events: string[] = []
  const one = createBreaker({
    failures: 3,
    openMs: 5000,
    probeMs: 1000,
    monotonic: () => time.now,
    onOpen: () => events.push('open'),
    onClose: () => events.push('close'),
  })
  const attempt = (outcome: 'ok' | 'ill' | 'refused') =>
    one
      .run(
        async () => {
          if (outcome !== 'ok') throw new Error(outcome)
          return outcome
        },
        (error) => error instanceof Error && error.message === 'ill',
      )
      .catch((error: unknown) => (error instanceof Shed ? `open ${error.waitMs}` : String(error)))
  return { ...one, time, attempt, events }
}

t.test('opens after failures in a row, and only then', async (t) => {
  const { attempt, state, waitMs } = breaker()
  for (const outcome of ['ill', 'ill', 'ok', 'ill', 'ill', 'refused', 'ill', 'ill'] as const) await attempt(outcome)
  t.equal(state(), 'closed', 'a success in between, or a refusal, which only somebody who is well can give')
  await attempt('ill')
  t.equal(state(), 'open')
  t.equal(waitMs(), 5000)
  t.equal(await attempt('ok'), 'open 5000')
})

t.test('one probe at a time finds out whether it is over; the others do not wait for it', async (t) => {
  const { attempt, run, time, state, events } = breaker()
  for (let i = 0; i < 3; i++) await attempt('ill')
  time.now = 4999
  t.equal(await attempt('ok'), 'open 1')
  time.now = 5000
  t.equal(state(), 'half_open')
  let finish: (value: string) => void = () => {}
  const probe = run(
    () =>
      new Promise<string>((resolve) => {
        finish = resolve
      }),
    () => true,
  )
  t.equal(await attempt('ok'), 'open 1000')
  finish('ok')
  t.equal(await probe, 'ok')
  t.equal(state(), 'closed')
  t.equal(await attempt('ok'), 'ok')
  t.strictSame(events, ['open', 'close'])
})

t.test('a probe that fails opens it anew, told once', async (t) => {
  const { attempt, time, state, waitMs, events } = breaker()
  for (let i = 0; i < 3; i++) await attempt('ill')
  for (let round = 1; round <= 3; round++) {
    time.now += 5000
    await attempt('ill')
    t.equal(state(), 'open')
    t.equal(waitMs(), 5000)
  }
  time.now += 5000
  t.equal(await attempt('refused'), 'Error: refused')
  t.equal(state(), 'closed', 'a refusal is an answer')
  t.strictSame(events, ['open', 'close'])
})

t.test('what began before it opened neither closes it nor keeps it open', async (t) => {
  const { attempt, run, time, state } = breaker()
  const late: { resolve: (value: string) => void; reject: (error: unknown) => void }[] = []
  const begun = [0, 1].map(() =>
    run(
      () => new Promise<string>((resolve, reject) => void late.push({ resolve, reject })),
      () => true,
    ).catch(() => 'failed'),
  )
  for (let i = 0; i < 3; i++) await attempt('ill')
  late[0]?.resolve('ok')
  await begun[0]
  t.equal(state(), 'open')
  time.now = 5000
  await attempt('ok')
  late[1]?.reject(new Error('ill'))
  await begun[1]
  t.equal(state(), 'closed')
})
