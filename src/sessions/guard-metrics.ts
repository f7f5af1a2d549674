import { Counter, Gauge, type Registry } from 'prom-client'
import type { Breaker } from './breaker.ts'
import type { Bulkhead } from './bulkhead.ts'

const STATES = ['closed', 'half_open', 'open'] as const

/**
 * Shows the guard's breaker and queue.
 * @returns the counter of vends that were turned away without a call
 */
export function createGuardMetrics(
  registry: Registry,
  state: Breaker['state'],
  load: Bulkhead['load'],
): Counter<'reason'> {
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
  return new Counter({
    name: 'oss_vend_sts_shed_total',
    help: 'Vends turned away without a call: breaker open, no turn in time, rate used up.',
    labelNames: ['reason'],
    registers,
  })
}
