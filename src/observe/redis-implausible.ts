import { Counter, type Registry } from 'prom-client'

/** Called for each Redis entry that this service cannot have written. */
export type CountImplausible = (what: 'session' | 'lease' | 'rate' | 'count' | 'denylist') => void

const NAME = 'oss_vend_redis_implausible_total'

/** All readers of Redis share one metric, which the first of them creates. */
export function countImplausible(metrics: Registry): CountImplausible {
  const known = metrics.getSingleMetric(NAME)
  const counter =
    known instanceof Counter
      ? known
      : new Counter({
          name: NAME,
          help: 'Entries in Redis that no replica can have left so: ignored, and replaced.',
          labelNames: ['what'],
          registers: [metrics],
        })
  return (what) => counter.inc({ what })
}
