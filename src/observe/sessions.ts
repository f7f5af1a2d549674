import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { SessionMetrics } from '../sessions/session-metrics.ts'

const STATES = ['closed', 'half_open', 'open'] as const

/** The metrics of sessions: memory, Redis, and the STS of every target. */
export function sessionMetrics(registry: Registry): SessionMetrics {
  return { ...cacheMetrics(registry), ...stsMetrics(registry), ...guardMetrics(registry) }
}

function cacheMetrics(registry: Registry) {
  const registers = [registry]
  const lookups = new Counter({
    name: 'oss_vend_cache_lookups_total',
    help: 'Looks into the cache: hit, joined a call that was under way, or miss.',
    labelNames: ['result'],
    registers,
  })
  const refreshes = new Counter({
    name: 'oss_vend_cache_refreshes_total',
    help: 'Sessions renewed ahead: ok, postponed because STS was busy or another replica was at it, failed.',
    labelNames: ['result'],
    registers,
  })
  const evictions = new Counter({
    name: 'oss_vend_cache_evictions_total',
    help: 'Living sessions that were dropped from memory to make room.',
    registers,
  })
  const shared = new Counter({
    name: 'oss_vend_shared_cache_lookups_total',
    help: 'Looks into the shared cache: hit, miss, ignored for an entry that is not ours or not whole, unavailable.',
    labelNames: ['result'],
    registers,
  })
  return {
    lookedUp: (result) => lookups.inc({ result }),
    refreshed: (result) => refreshes.inc({ result }),
    lookedUpShared: (result) => shared.inc({ result }),
    evicted: () => evictions.inc(),
    watchCache({ size, nextEndMs }) {
      new Gauge({
        name: 'oss_vend_cache_entries',
        help: 'Sessions held in memory.',
        registers,
        collect() {
          this.set(size().entries)
        },
      })
      new Gauge({
        name: 'oss_vend_cache_bytes',
        help: 'About what they take.',
        registers,
        collect() {
          this.set(size().bytes)
        },
      })
      new Gauge({
        name: 'oss_vend_next_expiry_seconds',
        help: 'Seconds until the first session in memory ends, up to a minute less; absent without a session.',
        registers,
        collect() {
          const next = nextEndMs()
          if (next === undefined) this.remove()
          else this.set(next / 1000)
        },
      })
    },
  } satisfies Partial<SessionMetrics>
}

function stsMetrics(registry: Registry) {
  const registers = [registry]
  const calls = new Counter({
    name: 'oss_vend_sts_calls_total',
    help: 'Calls to STS by target and outcome: ok, or the code of the error.',
    labelNames: ['target', 'outcome'],
    registers,
  })
  const duration = new Histogram({
    name: 'oss_vend_sts_call_seconds',
    help: 'How long calls to STS took, by target, whatever came of them.',
    labelNames: ['target'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  const refused = new Counter({
    name: 'oss_vend_new_sessions_refused_total',
    help: 'Vends refused with rate_limited because their caller has caused too many new sessions.',
    registers,
  })
  return {
    newSessionRefused: () => refused.inc(),
    stsCalled(target, outcome, seconds) {
      calls.inc({ target, outcome })
      duration.observe({ target }, seconds)
    },
  } satisfies Partial<SessionMetrics>
}

function guardMetrics(registry: Registry) {
  const registers = [registry]
  const guards = new Map<string, Parameters<SessionMetrics['watchGuard']>[1]>()
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
    shed: (target, reason) => shed.inc({ target, reason }),
    watchGuard: (target, guard) => void guards.set(target, guard),
  } satisfies Partial<SessionMetrics>
}
