import { Gauge, type Registry } from 'prom-client'
import { type ClockOffset, clockFault } from '../lib/clock-offset.ts'

/**
 * Shows how far the clocks of each target's STS and of this machine are apart, in a metric.
 * @returns the same for the operator's `/readyz`; undefined until an STS has told the time
 */
export function showClockOffset(metrics: Registry, clocks: ReadonlyMap<string, Pick<ClockOffset, 'seconds'>>) {
  const known = () =>
    [...clocks].flatMap(([target, clock]) => {
      const seconds = clock.seconds()
      return seconds === undefined ? [] : [{ target, seconds }]
    })
  new Gauge({
    name: 'oss_vend_sts_clock_offset_seconds',
    help: "How far the clock of a target's STS is ahead of the clock of this machine; absent until it has told the time.",
    labelNames: ['target'],
    registers: [metrics],
    collect() {
      for (const { target, seconds } of known()) this.set({ target }, seconds)
    },
  })
  return () => {
    const sts = Object.fromEntries(
      known().map(({ target, seconds }) => [target, { clockOffsetSeconds: seconds, ...clockFault(seconds) }]),
    )
    return Object.keys(sts).length > 0 ? { sts } : undefined
  }
}
