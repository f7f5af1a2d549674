import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Breaker } from './breaker.ts'
import type { Bulkhead } from './bulkhead.ts'

/** What operators see of STS. */
export type UpstreamMetrics = Readonly<{
  /** A call, by `ok` or the code of its error. */
  calls: Counter<'outcome'>
  /** A vend that was turned away without a call. */
  shed: Counter<'reason'>
  seconds: Histogram
}>

const STATES = ['closed', 'half_open', 'open'] as const

export function createUpstreamMetrics(
  registry: Registry,
  state: Breaker['state'],
  load: Bulkhead['load'],
): UpstreamMetrics {
  const registers = [registry]
  new Gauge({
    name: 'oss_vend_sts_breaker_state',
    help: '1 for the state that the circuit breaker is in.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const one of STATES) this.set({ state: one }, one === state() ? 1 : 0)
    },
  })
  new Gauge({
    name: 'oss_vend_sts_calls_running',
    help: 'Calls to STS that run, or wait for the rate.',
    registers,
    collect() {
      this.set(load().running)
    },
  })
  new Gauge({
    name: 'oss_vend_sts_queue_length',
    help: 'Vends that wait for their turn to call STS.',
    registers,
    collect() {
      this.set(load().queued)
    },
  })
  return {
    calls: new Counter({
      name: 'oss_vend_sts_calls_total',
      help: 'Calls to STS by outcome: ok, or the code of the error.',
      labelNames: ['outcome'],
      registers,
    }),
    shed: new Counter({
      name: 'oss_vend_sts_shed_total',
      help: 'Vends turned away without a call: breaker open, no turn in time, rate used up.',
      labelNames: ['reason'],
      registers,
    }),
    seconds: new Histogram({
      name: 'oss_vend_sts_call_seconds',
      help: 'How long calls to STS took, whatever came of them.',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
  }
}
