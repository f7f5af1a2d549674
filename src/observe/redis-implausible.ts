import { Counter, type Registry } from 'prom-client'

/** Told of each thing in Redis that this service cannot have written so. */
export type CountImplausible = (what: 'session' | 'lease' | 'rate' | 'count') => void

const NAME = 'oss_vend_redis_implausible_total'

/** All who read from Redis count in one metric, the first of them makes it. */
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
