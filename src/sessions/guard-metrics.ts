import { Counter, Gauge, type Registry } from 'prom-client'
import type { Breaker } from './breaker.ts'
import type { Bulkhead } from './bulkhead.ts'

/** Shows the breakers and queues of all targets. */
export type GuardMetrics = Readonly<{
  /**
   * Shows those of one target.
   * @returns what counts a vend that was turned away without a call
   */
  watch(target: string, state: Breaker['state'], load: Bulkhead['load']): (reason: string) => void
}>

const STATES = ['closed', 'half_open', 'open'] as const

export function createGuardMetrics(registry: Registry): GuardMetrics {
  const registers = [registry]
  const guards = new Map<string, Readonly<{ state: Breaker['state']; load: Bulkhead['load'] }>>()
  new Gauge({
    name: 'oss_vend_sts_breaker_state',
    help: "1 for the state that the circuit breaker of a target's STS is in.",
    labelNames: ['target', 'state'],
    registers,
    collect() {
      for (const [target, { state }] of guards) {
        for (const one of STATES) this.set({ target, state: one }, one === state() ? 1 : 0)
      }
    },
  })
  new Gauge({
    name: 'oss_vend_sts_calls_running',
    help: 'Calls to STS that run, or wait for the rate, by target.',
    labelNames: ['target'],
    registers,
    collect() {
      for (const [target, { load }] of guards) this.set({ target }, load().running)
    },
  })
  new Gauge({
    name: 'oss_vend_sts_queue_length',
    help: 'Vends that wait for their turn to call STS, by target.',
    labelNames: ['target'],
    registers,
    collect() {
      for (const [target, { load }] of guards) this.set({ target }, load().queued)
    },
  })
  const shed = new Counter({
    name: 'oss_vend_sts_shed_total',
    help: 'Vends turned away without a call, by target: breaker open, no turn in time, rate used up.',
    labelNames: ['target', 'reason'],
    registers,
  })
  return {
    watch(target, state, load) {
      guards.set(target, { state, load })
      return (reason) => shed.inc({ target, reason })
    },
  }
}
