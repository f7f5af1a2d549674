import t from 'tap'
import { type Bulkhead, createBulkhead, QueueError } from '../../src/vending/bulkhead.ts'
import { manualClock, settle } from '../helpers/clock.ts'

function setUp(limit: number, queueLimit: number) {
  const clock = manualClock()
  const bulkhead = createBulkhead({ limit, queueLimit, clock })
  const started: string[] = []
  const finish = new Map<string, () => void>()
  const run = (name: string, { until = 1000, background = false } = {}) =>
    bulkhead
      .run(
        () => {
          started.push(name)
          return new Promise<string>((resolve) => finish.set(name, () => resolve(name)))
        },
        { until, background },
      )
      .catch((error: unknown) => (error instanceof QueueError ? error.reason : String(error)))
  return { clock, bulkhead, started, run, end: (name: string) => finish.get(name)?.() }
}

const idle = (bulkhead: Bulkhead) => JSON.stringify(bulkhead.load()) === '{"running":0,"queued":0}'

t.test('so many run, the next wait in their order, the newest is refused', async (t) => {
  const { bulkhead, started, run, end, clock } = setUp(2, 2)
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => run(name))
  t.equal(await run('e'), 'full')
  t.strictSame(started, ['a', 'b'])
  t.strictSame(bulkhead.load(), { running: 2, queued: 2 })
  end('a')
  t.equal(await a, 'a')
  // One who comes in the very moment in which a place is free is behind those who wait.
  const f = run('f')
  await settle()
  t.strictSame(started, ['a', 'b', 'c'])
  for (const name of ['b', 'c']) end(name)
  await settle()
  for (const name of ['d', 'f']) end(name)
  t.strictSame(await Promise.all([b, c, d, f]), ['b', 'c', 'd', 'f'])
  t.strictSame(started, ['a', 'b', 'c', 'd', 'f'])
  t.ok(idle(bulkhead))
  t.equal(clock.timers(), 0)
})

t.test('whose turn does not come in time leaves, and the place goes to the next', async (t) => {
  const { bulkhead, started, run, end, clock } = setUp(1, 5)
  const [a, b, c] = [run('a'), run('b', { until: 50 }), run('c', { until: 500 })]
  await clock.advance(50)
  t.equal(await b, 'late')
  end('a')
  await a
  await settle()
  end('c')
  t.equal(await c, 'c')
  t.strictSame(started, ['a', 'c'])
  t.ok(idle(bulkhead))
})

t.test('what fails frees its place like what succeeds', async (t) => {
  const { bulkhead } = setUp(1, 0)
  for (let i = 0; i < 3; i++) {
    await t.rejects(
      bulkhead.run(async () => Promise.reject(new Error('x')), { until: 9, background: false }),
      { message: 'x' },
    )
  }
  t.ok(idle(bulkhead))
})

t.test('background calls take half of the places, and never wait', async (t) => {
  const { run, end, bulkhead } = setUp(4, 4)
  const running = ['a', 'b'].map((name) => run(name, { background: true }))
  t.equal(await run('c', { background: true }), 'full')
  const others = ['d', 'e'].map((name) => run(name))
  t.strictSame(bulkhead.load(), { running: 4, queued: 0 })
  await settle()
  for (const name of ['a', 'b', 'd', 'e']) end(name)
  await Promise.all([...running, ...others])
  t.ok(idle(bulkhead))
})

t.test('closing turns away who waits and who comes, and leaves who runs', async (t) => {
  const { run, end, bulkhead, clock } = setUp(1, 5)
  const [a, b] = [run('a'), run('b')]
  bulkhead.close()
  t.equal(await b, 'closed')
  t.equal(await run('c'), 'closed')
  await settle()
  end('a')
  t.equal(await a, 'a')
  t.equal(clock.timers(), 0)
})
