import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
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
    ...requestMetrics(registry),
    rateLimited: (limit) => limited.inc({ limit }),
    countsAlone: () => alone.inc(),
    connectionRefused: () => refused.inc(),
    connectionCut: (reason) => cuts.inc({ reason }),
    overloaded: (reason) => overloads.inc({ reason }),
    requestShed: () => shed.inc(),
  }
}

/** A vend out of memory takes about a millisecond, one that asks STS up to the 8 s of the longest deadline. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

function requestMetrics(registry: Registry) {
  const registers = [registry]
  const seconds = new Histogram({
    name: 'oss_vend_http_request_seconds',
    help: 'How long requests took, by method, route and status. Probes and CORS preflights are left out.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers,
  })
  const vends = new Counter({
    name: 'oss_vend_vends_total',
    help: 'Requests for credentials, signed URLs or forms by template and outcome: issued, or the code of the error.',
    labelNames: ['policy', 'outcome'],
    registers,
  })
  const running = new Gauge({
    name: 'oss_vend_vends_running',
    help: 'Requests for credentials, signed URLs or forms that are being answered.',
    registers,
  })
  return {
    answered: ({ method, route, status, seconds: took }) => seconds.observe({ method, route, status }, took),
    vended: (policy, outcome) => vends.inc({ policy, outcome }),
    vendsRunning: (change) => running.inc(change),
  } satisfies Partial<HttpMetrics>
}
