import t from 'tap'
import { VendError } from '../../src/errors.ts'
import { createBookings } from '../../src/sessions/bookings.ts'
import { type Bulkhead, createBulkhead } from '../../src/sessions/bulkhead.ts'
import { Shed } from '../../src/sessions/shed.ts'
import { manualClock, settle } from '../helpers/clock.ts'

type Options = Readonly<{ limit: number; callMs?: number; perSecond?: number; deadlineMs?: number }>

/** Calls that take as long as is believed of them, unless the test ends them. */
function setUp({ limit, callMs = 100, perSecond = 1000, deadlineMs = 1000 }: Options) {
  const clock = manualClock()
  const believed = { callMs }
  const bulkhead = createBulkhead({
    limit,
    perSecond,
    deadlineMs,
    callMs: () => believed.callMs,
    clock,
    bookings: createBookings(clock.monotonic, () => 0),
  })
  const started: string[] = []
  const finish = new Map<string, () => void>()
  const run = (name: string, { owner = name, until = clock.monotonic() + deadlineMs, background = false } = {}) =>
    bulkhead
      .run(
        () => {
          started.push(name)
          return new Promise<string>((resolve) => finish.set(name, () => resolve(name)))
        },
        { owner, until, background },
      )
      .catch((error: unknown) =>
        error instanceof Shed
          ? `${error.reason} ${Math.round(error.waitMs)}`
          : error instanceof VendError
            ? error.code
            : String(error),
      )
  const end = async (name: string) => {
    finish.get(name)?.()
    await settle()
  }
  return { clock, bulkhead, believed, started, run, end }
}

const idle = (bulkhead: Bulkhead) => JSON.stringify(bulkhead.load()) === '{"running":0,"queued":0}'

t.test('a number of calls run, others wait in their order', async (t) => {
  const { bulkhead, started, run, end, clock } = setUp({ limit: 2 })
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => run(name))
  await settle()
  t.strictSame(started, ['a', 'b'])
  t.strictSame(bulkhead.load(), { running: 2, queued: 2 })
  await end('a')
  t.equal(await a, 'a')
  // A caller who comes in the very moment in which a place is free is behind those who wait.
  const e = run('e')
  await settle()
  t.strictSame(started, ['a', 'b', 'c'])
  for (const name of ['b', 'c', 'd', 'e']) await end(name)
  t.strictSame(await Promise.all([b, c, d, e]), ['b', 'c', 'd', 'e'])
  t.strictSame(started, ['a', 'b', 'c', 'd', 'e'])
  t.ok(idle(bulkhead))
  t.equal(clock.timers(), 0)
})

t.test('owners are served in turns', async (t) => {
  const { started, run, end, bulkhead } = setUp({ limit: 1, callMs: 1 })
  const all = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((name) => run(name, { owner: name.slice(0, 1) }))
  await settle()
  for (const name of ['a1', 'a2']) await end(name)
  all.push(run('d1', { owner: 'd' }))
  const order = ['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'd1', 'a4']
  for (const name of order) await end(name)
  t.strictSame(started, order)
  t.equal((await Promise.all(all)).length, 8)
  t.ok(idle(bulkhead))
})

t.test('a call that surely comes too late is refused at once, and told when there is room', async (t) => {
  const rows: { name: string; options: Options; waiting: number; want: string[] }[] = [
    // The line holds 900 ms of calls, and is half empty after 450; from then on one call ends each 50.
    {
      name: 'by how long calls take',
      options: { limit: 2 },
      waiting: 18,
      want: ['queue 600', 'queue 650', 'queue 700'],
    },
    {
      name: 'by the rate',
      options: { limit: 2, perSecond: 10 },
      waiting: 10,
      want: ['queue 650', 'queue 750', 'queue 850'],
    },
    {
      name: 'where calls take longer than anybody waits, all who do not begin at once',
      options: { limit: 2, callMs: 1500 },
      waiting: 0,
      want: ['queue 2250', 'queue 3000', 'queue 3750'],
    },
    {
      name: 'while nothing is known, by the rate',
      options: { limit: 1, callMs: 0, perSecond: 3 },
      waiting: 4,
      want: [],
    },
  ]
  for (const { name, options, waiting, want } of rows) {
    t.test(name, async (t) => {
      const { run, bulkhead } = setUp(options)
      for (let n = 0; n < options.limit + waiting; n++) void run(`waits-${n}`)
      t.equal(bulkhead.load().queued, waiting)
      t.strictSame(await Promise.all(want.map((_, n) => run(`late-${n}`))), want)
      t.equal(bulkhead.load().queued, waiting)
      bulkhead.close()
    })
  }
})

t.test('a first call takes the time of the last second one', async (t) => {
  const { run, bulkhead } = setUp({ limit: 1 })
  const [first] = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9', 'a10'].map((name) => run(name, { owner: 'a' }))
  t.match(await run('a11', { owner: 'a' }), /^queue /u, "not another one's")
  t.equal(bulkhead.load().queued, 9)
  for (let n = 0; n < 8; n++) void run(`newcomer-${n}`)
  t.equal(bulkhead.load().queued, 9)
  t.match(await run('one-more'), 'queue')
  bulkhead.close()
  t.ok(first)
})

t.test('an owner whose turn does not come in time leaves, and the place goes to the next', async (t) => {
  const { bulkhead, started, run, end, clock } = setUp({ limit: 1, callMs: 10 })
  // Told after 50 ms more: for so long the one that runs does already.
  const [a, b, c] = [run('a'), run('b', { until: 50 }), run('c', { until: 500 })]
  await clock.advance(50)
  t.equal(await b, 'queue 50')
  await end('a')
  await a
  await end('c')
  t.equal(await c, 'c')
  t.strictSame(started, ['a', 'c'])
  t.ok(idle(bulkhead))
})

t.test('when calls become slower, those whose turn comes too late now are told', async (t) => {
  const { bulkhead, believed, run, end } = setUp({ limit: 1, callMs: 10 })
  const waiting = Array.from({ length: 80 }, (_, n) => run(`caller-${n}`))
  t.equal(bulkhead.load().queued, 79)
  await settle()
  believed.callMs = 200
  await end('caller-0')
  t.equal(bulkhead.load().queued, 4, 'beside the one that has just begun')
  const told = (await Promise.all(waiting.slice(6))).map((text) => Number(text.split(' ')[1]))
  t.strictSame(told.slice(0, 3), [800, 1000, 1200], 'the first of them come again first')
  bulkhead.close()
})

t.test('calls that run for longer than those before count, though none has ended', async (t) => {
  const { bulkhead, run, clock } = setUp({ limit: 1, callMs: 10 })
  void run('a', { until: 10_000 })
  await clock.advance(900)
  t.match(await run('b', { until: 1700 }), 'queue')
  void run('c', { until: 1800 })
  t.equal(bulkhead.load().queued, 1)
  bulkhead.close()
})

t.test('what fails frees its place like what succeeds', async (t) => {
  const { bulkhead } = setUp({ limit: 1 })
  for (let i = 0; i < 3; i++) {
    await t.rejects(
      bulkhead.run(async () => Promise.reject(new Error('x')), { owner: 'a', until: 9, background: false }),
      { message: 'x' },
    )
  }
  t.ok(idle(bulkhead))
})

t.test('background calls take half of the places, and never wait', async (t) => {
  const { run, end, bulkhead } = setUp({ limit: 4 })
  const running = ['a', 'b'].map((name) => run(name, { background: true }))
  t.match(await run('c', { background: true }), 'queue')
  const others = ['d', 'e'].map((name) => run(name))
  t.strictSame(bulkhead.load(), { running: 4, queued: 0 })
  await settle()
  for (const name of ['a', 'b', 'd', 'e']) await end(name)
  await Promise.all([...running, ...others])
  t.ok(idle(bulkhead))
})

t.test('closing turns away those who wait and those who come, and leaves calls that run', async (t) => {
  const { run, end, bulkhead, clock } = setUp({ limit: 1 })
  const [a, b] = [run('a'), run('b')]
  bulkhead.close()
  t.equal(await b, 'not_ready')
  t.equal(await run('c'), 'not_ready')
  await settle()
  await end('a')
  t.equal(await a, 'a')
  t.equal(clock.timers(), 0)
})
