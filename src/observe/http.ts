import { Counter, type Registry } from 'prom-client'
import type { HttpMetrics } from '../http/http-metrics.ts'

/** The metrics of the listener that callers reach. */
export function httpMetrics(registry: Registry): HttpMetrics {
  const registers = [registry]
  const limited = new Counter({
    name: 'oss_vend_rate_limited_total',
    help: 'Requests refused with rate_limited, by the limit that they met.',
    labelNames: ['limit'],
    registers,
  })
  const alone = new Counter({
    name: 'oss_vend_rate_limit_redis_failures_total',
    help: 'Times that Redis stopped answering and this replica went on counting alone.',
    registers,
  })
  const refused = new Counter({
    name: 'oss_vend_connections_refused_total',
    help: 'Connections closed because there were MAX_CONNECTIONS already.',
    registers,
  })
  const cuts = new Counter({
    name: 'oss_vend_connections_cut_total',
    help: 'Connections closed because their client sent requests too far ahead, or did not read the answer.',
    labelNames: ['reason'],
    registers,
  })
  const overloads = new Counter({
    name: 'oss_vend_overloads_total',
    help: 'Times that requests began to be shed, by what was over its limit.',
    labelNames: ['reason'],
    registers,
  })
  const shed = new Counter({
    name: 'oss_vend_requests_shed_total',
    help: 'Requests refused with overloaded.',
    registers,
  })
  return {
    rateLimited: (limit) => limited.inc({ limit }),
    countsAlone: () => alone.inc(),
    connectionRefused: () => refused.inc(),
    connectionCut: (reason) => cuts.inc({ reason }),
    overloaded: (reason) => overloads.inc({ reason }),
    requestShed: () => shed.inc(),
  }
}
