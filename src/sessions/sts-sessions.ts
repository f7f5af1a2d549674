import { VendError } from '../errors.ts'
import type { ClosableClock } from '../lib/clock.ts'
import { type Tracing, untraced } from '../lib/tracing.ts'
import type { CredentialSource } from '../sts/credentials.ts'
import { sessionOf } from './session.ts'
import type { SessionMetrics } from './session-metrics.ts'
import type { SessionSource } from './session-source.ts'

type Dependencies = Readonly<{
  clock: ClosableClock
  timeoutMs: number
  target: string
  metrics: Pick<SessionMetrics, 'stsCalled'>
  tracing?: Tracing | undefined
}>

/** The last level: asks the STS of one target, once, for at most `timeoutMs`. */
export function stsSessions(
  source: CredentialSource,
  { clock, timeoutMs, target, metrics, tracing = untraced }: Dependencies,
): SessionSource {
  const running = new Set<AbortController>()

  return {
    async session({ roleSessionName, policy, durationSeconds }) {
      const asked = { now: clock.now(), monotonic: clock.monotonic(), durationSeconds }
      const controller = new AbortController()
      running.add(controller)
      let outcome = 'ok'
      try {
        const { signal } = controller
        const ask = () => source.assumeRole({ roleSessionName, policy, durationSeconds }, { signal })
        const answer = tracing.span('AssumeRole', ask, { attributes: { 'oss_vend.target': target } })
        // Never cut by a caller's deadline: that would say nothing about STS, and waste a session that the caller finds
        // when it asks again. The source keeps the same limit; this one holds whatever the source does.
        const credentials = await clock.within(answer, timeoutMs, async () => {
          throw new VendError('upstream_timeout', { log: { upstream: { reason: 'no answer' } } })
        })
        return sessionOf(credentials, asked)
      } catch (error) {
        outcome = error instanceof VendError ? error.code : 'internal_error'
        throw error
      } finally {
        metrics.stsCalled(target, outcome, (clock.monotonic() - asked.monotonic) / 1000)
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
