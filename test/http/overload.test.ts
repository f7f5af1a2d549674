import { Registry } from 'prom-client'
import t from 'tap'
import { createMeasure, createOverload, type Pressure } from '../../src/http/overload.ts'
import { httpMetrics } from '../../src/observe/http.ts'
import { build } from '../helpers/build.ts'
import { captureLogs } from '../helpers/logs.ts'
import { manualTimers } from '../helpers/timers.ts'
import { claims, mint } from '../helpers/tokens.ts'

const LIMITS = { eventLoopDelayMs: 100, heapPercent: 90, rssMb: 1000 }
const IDLE: Pressure = { eventLoopDelayMs: 1, heapPercent: 10, rssMb: 100 }

/** A measure that a test sets. */
function settable() {
  const state = { pressure: IDLE, closed: false }
  const close = () => {
    state.closed = true
  }
  const measure = { read: () => state.pressure, close }
  return { state, measure }
}

function start(limits = LIMITS) {
  const { state, measure } = settable()
  const timers = manualTimers()
  const metrics = new Registry()
  const logs = captureLogs()
  const overload = createOverload(limits, {
    ...{ logger: logs.logger, measure, clock: timers.clock },
    metrics: httpMetrics(metrics),
  })
  overload.start()
  /** Whether it sheds after each of these measurements. */
  const after = (...pressures: Partial<Pressure>[]) =>
    pressures.map((pressure) => {
      state.pressure = { ...IDLE, ...pressure }
      timers.tick()
      return overload.shedding()
    })
  return { overload, after, metrics, logs, timers, state }
}

t.test('any measurement over its limit begins it', async (t) => {
  for (const reason of ['eventLoopDelayMs', 'heapPercent', 'rssMb'] as const) {
    const { after, metrics, logs } = start()
    t.strictSame(after({ [reason]: LIMITS[reason] }), [false], `${reason} at its limit`)
    t.strictSame(after({ [reason]: LIMITS[reason] + 1 }), [true], `${reason} over it`)
    t.match(await metrics.metrics(), `oss_vend_overloads_total{reason="${reason}"} 1`)
    t.match(logs.lines().at(-1), { msg: 'overloaded: requests are shed', reason })
  }
})

t.test('it ends after six calm measurements in a row, and what is just under the limit is not calm', async (t) => {
  const { after, metrics } = start()
  const high = { eventLoopDelayMs: 101 }
  const near = { eventLoopDelayMs: 90 }
  const low = { eventLoopDelayMs: 80 }
  t.strictSame(after(high, low, low, low, low, low), Array(6).fill(true))
  t.strictSame(after(near, low, low, low, low, low), Array(6).fill(true), 'from the beginning')
  t.strictSame(after(low), [false])
  t.strictSame(after(near, near), [false, false], 'to be near does not begin it')
  t.match(await metrics.metrics(), 'oss_vend_overloads_total{reason="eventLoopDelayMs"} 1', 'once, not each time')
})

t.test('0 is never', async (t) => {
  const some = start({ ...LIMITS, eventLoopDelayMs: 0 })
  t.strictSame(some.after({ eventLoopDelayMs: 1e9 }, { rssMb: 1001 }), [false, true])
  const none = start({ eventLoopDelayMs: 0, heapPercent: 0, rssMb: 0 })
  t.equal(none.timers.running(), 0)
})

t.test('while shedding, everything but probes is refused before anything is verified', async (t) => {
  const { state, measure } = settable()
  const timers = manualTimers()
  const metrics = new Registry()
  const { app, ops, asked } = await build(t, {
    env: { OVERLOAD_EVENT_LOOP_DELAY_MS: '100', OPS_PORT: '0' },
    dependencies: { measure, clock: timers.clock, metrics },
  })
  await app.ready()
  const headers = { authorization: `Bearer ${mint(claims())}` }
  const vend = (more = headers) =>
    app.inject({ method: 'POST', url: '/v1/credentials', headers: more, payload: { policy: 'user-upload' } })
  t.equal((await vend()).statusCode, 200)
  state.pressure = { ...IDLE, eventLoopDelayMs: 101 }
  timers.tick(500)

  for (const token of [headers.authorization, 'Bearer a.b.c']) {
    const refused = await vend({ authorization: token })
    t.equal(refused.statusCode, 503)
    t.match(refused.json(), { code: 'overloaded', title: 'The service is overloaded' })
    t.equal(refused.headers['retry-after'], '3')
  }
  t.equal((await app.inject({ url: '/v1/policies', headers })).json().code, 'overloaded')
  const open = ['/docs', '/docs/', '/docs/static/index.css', '/openapi.json', '/nope', '/v1/policies']
  for (const url of open) t.equal((await app.inject({ url })).json().code, 'overloaded', `${url} without a token`)
  t.equal(asked.length, 1)
  for (const server of [app, ops]) {
    t.equal((await server?.inject({ url: '/livez' }))?.statusCode, 200)
    t.equal((await server?.inject({ url: '/readyz' }))?.json().code, 'not_ready')
  }
  t.match(await metrics.metrics(), 'oss_vend_requests_shed_total 9')

  state.pressure = IDLE
  for (let i = 0; i < 6; i++) timers.tick(500)
  t.equal((await vend()).statusCode, 200)
  t.equal((await app.inject({ url: '/readyz' })).statusCode, 200)
  await app.close()
  t.equal(timers.running(), 0, 'no timer is left')
  t.ok(state.closed)
})

t.test('this process is measured', async (t) => {
  const measure = createMeasure()
  t.teardown(measure.close)
  const began = performance.now()
  while (performance.now() - began < 60);
  const stuck = measure.read()
  t.ok(stuck.eventLoopDelayMs >= 40 && stuck.eventLoopDelayMs < 5000, `${stuck.eventLoopDelayMs} ms without a tick`)
  t.ok(stuck.heapPercent >= 0 && stuck.heapPercent < 100)
  t.ok(stuck.rssMb > 20 && stuck.rssMb < 100_000)
})
