import { Counter, Gauge, type Registry } from 'prom-client'
import type { RedisMetrics } from '../lib/redis-link.ts'

/** The metrics of Redis, for a service that has one. */
export function redisMetrics(registry: Registry): RedisMetrics {
  const registers = [registry]
  const up = new Gauge({ name: 'oss_vend_redis_up', help: 'Whether Redis answers.', registers })
  const errors = new Counter({
    name: 'oss_vend_redis_errors_total',
    help: 'Questions that Redis did not answer: connection, timeout, or reply for one that it refused.',
    labelNames: ['kind'],
    registers,
  })
  const implausible = new Counter({
    name: 'oss_vend_redis_implausible_total',
    help: 'Entries in Redis that no replica can have left so: ignored, and replaced.',
    labelNames: ['what'],
    registers,
  })
  up.set(1)
  return {
    up: (answers) => up.set(answers ? 1 : 0),
    failed: (kind) => errors.inc({ kind }),
    implausible: (what) => implausible.inc({ what }),
  }
}
