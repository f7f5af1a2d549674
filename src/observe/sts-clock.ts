import { Gauge, type Registry } from 'prom-client'
import { type ClockOffset, clockFault } from '../lib/clock-offset.ts'

/**
 * Shows how far the clocks of STS and of this machine are apart, in a metric.
 * @returns the same for the operator's `/readyz`
 */
export function showClockOffset(metrics: Registry, clock: Pick<ClockOffset, 'seconds'>) {
  new Gauge({
    name: 'oss_vend_sts_clock_offset_seconds',
    help: 'How far the clock of STS is ahead of the clock of this machine; absent until STS has told the time.',
    registers: [metrics],
    collect() {
      const seconds = clock.seconds()
      if (seconds === undefined) this.remove()
      else this.set(seconds)
    },
  })
  return () => {
    const clockOffsetSeconds = clock.seconds()
    return clockOffsetSeconds === undefined
      ? undefined
      : { sts: { clockOffsetSeconds, ...clockFault(clockOffsetSeconds) } }
  }
}
