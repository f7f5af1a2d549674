import { Counter, Histogram, type Registry } from 'prom-client'
import { VendError } from '../errors.ts'
import type { ClosableClock } from '../lib/clock.ts'
import type { CredentialSource } from '../sts/credentials.ts'
import { sessionOf } from './session.ts'
import type { SessionSource } from './session-source.ts'

type Dependencies = Readonly<{ clock: ClosableClock; timeoutMs: number; target: string; stsMetrics: StsMetrics }>

/** Metrics of the calls to every target's STS. */
export type StsMetrics = ReturnType<typeof createStsMetrics>

export function createStsMetrics(metrics: Registry) {
  const calls = new Counter({
    name: 'oss_vend_sts_calls_total',
    help: 'Calls to STS by target and outcome: ok, or the code of the error.',
    labelNames: ['target', 'outcome'],
    registers: [metrics],
  })
  const seconds = new Histogram({
    name: 'oss_vend_sts_call_seconds',
    help: 'How long calls to STS took, by target, whatever came of them.',
    labelNames: ['target'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [metrics],
  })
  return { calls, seconds }
}

/** The last level: asks the STS of one target, once, for at most `timeoutMs`. */
export function stsSessions(
  source: CredentialSource,
  { clock, timeoutMs, target, stsMetrics: { calls, seconds } }: Dependencies,
): SessionSource {
  const running = new Set<AbortController>()

  return {
    async session({ roleSessionName, policy, durationSeconds }) {
      const asked = { now: clock.now(), monotonic: clock.monotonic(), durationSeconds }
      const controller = new AbortController()
      running.add(controller)
      try {
        const { signal } = controller
        const answer = source.assumeRole({ roleSessionName, policy, durationSeconds }, { signal })
        // Never cut by a caller's deadline: that would say nothing about STS, and waste a session that the caller finds
        // when it asks again. The source keeps the same limit; this one holds whatever the source does.
        const credentials = await clock.within(answer, timeoutMs, async () => {
          throw new VendError('upstream_timeout', { log: { upstream: { reason: 'no answer' } } })
        })
        calls.inc({ target, outcome: 'ok' })
        return sessionOf(credentials, asked)
      } catch (error) {
        calls.inc({ target, outcome: error instanceof VendError ? error.code : 'internal_error' })
        throw error
      } finally {
        seconds.observe({ target }, (clock.monotonic() - asked.monotonic) / 1000)
        running.delete(controller)
        controller.abort()
      }
    },
    async close() {
      for (const controller of running) controller.abort()
      await source.close()
    },
  }
}
