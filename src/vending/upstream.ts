import type { FastifyBaseLogger } from 'fastify'
import type { Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import { VendError } from '../errors.ts'
import type { AssumeRoleRequest, CredentialSource } from '../sts/credentials.ts'
import { BreakerOpenError, createBreaker } from './breaker.ts'
import { createBulkhead, QueueError } from './bulkhead.ts'
import type { Rate } from './rate.ts'
import { type Session, sessionOf } from './session.ts'
import { createUpstreamMetrics } from './upstream-metrics.ts'
import type { Waits } from './waits.ts'

/** `until` by the monotonic clock. `background` is for a caller who still has a session: it never waits for its turn. */
export type When = Readonly<{ until: number; background: boolean }>

/** STS was not asked for a session that can wait, because others cannot or because it is ill. */
export class PostponedError extends Error {
  override readonly name = 'PostponedError'
}

/** STS, behind everything that keeps it and those who wait for it from harm. */
export type Upstream = Readonly<{
  /**
   * A new session, or an error by `until`.
   * @throws {PostponedError} `background` only
   * @throws {VendError} `upstream_denied`, `upstream_unavailable` with a Retry-After that is meant, `upstream_timeout`
   */
  assumeRole(request: AssumeRoleRequest, when: When): Promise<Session>
  /** Drops what runs and refuses what comes. */
  close(): void
}>

type Dependencies = Readonly<{
  source: CredentialSource
  clock: Clock
  logger: Pick<FastifyBaseLogger, 'warn' | 'info'>
  waits: Waits
  random: () => number
  rate: Rate
  /** The rate, to tell those who are turned away how long it will take. */
  perSecond: number
  /** Calls at a time. */
  limit: number
  /** How many more may wait. */
  queueLimit: number
  metrics: Registry
}>

const ATTEMPTS = 3
/** Full jitter: a repeat comes after a random part of this, which doubles each time. */
const BACKOFF_MS = 200
/** No call is begun that has less time than this. */
const SHORTEST_CALL_MS = 20
/** How STS is left alone once it has failed: after so many failures in a row, for so long. */
export const BREAKER = { failures: 5, openMs: 5000, probeMs: 1000 } as const

/** A vend that is turned away without a call. */
class Shed extends Error {
  readonly reason: 'breaker' | 'queue' | 'rate'
  readonly waitMs: number

  constructor(reason: Shed['reason'], waitMs: number) {
    super(reason)
    this.reason = reason
    this.waitMs = waitMs
  }
}

/**
 * AssumeRole may be repeated: a second session opens nothing that the first does not, and ends by itself. It is not
 * repeated after a timeout, since an STS that is slow is not helped by being asked more.
 */
export function createUpstream(dependencies: Dependencies): Upstream {
  const { source, clock, logger, waits, random, rate, perSecond, limit, queueLimit, metrics } = dependencies
  const { monotonic } = clock
  const breaker = createBreaker({
    ...BREAKER,
    monotonic,
    onOpen: () => logger.warn(BREAKER, 'STS keeps failing: it is left alone for a while'),
    onClose: () => logger.info('STS is back'),
  })
  const bulkhead = createBulkhead({ limit, queueLimit, clock })
  const count = createUpstreamMetrics(metrics, breaker.state, bulkhead.load)
  const running = new Set<AbortController>()

  async function call(request: AssumeRoleRequest, until: number): Promise<Session> {
    const asked = { now: clock.now(), monotonic: monotonic(), durationSeconds: request.durationSeconds }
    const controller = new AbortController()
    running.add(controller)
    try {
      const answer = source.assumeRole(request, { signal: controller.signal })
      // The source has a time limit of its own; this one holds whatever the source does.
      const credentials = await waits.within(answer, until - asked.monotonic, () => {
        throw new VendError('upstream_timeout', { log: { upstream: { reason: 'deadline' } } })
      })
      count.calls.inc({ outcome: 'ok' })
      return sessionOf(credentials, asked)
    } catch (error) {
      count.calls.inc({ outcome: error instanceof VendError ? error.code : 'internal_error' })
      throw error
    } finally {
      count.seconds.observe((monotonic() - asked.monotonic) / 1000)
      running.delete(controller)
      controller.abort()
    }
  }

  function mustBeClosed(): void {
    const waitMs = breaker.waitMs()
    if (waitMs > 0) throw new Shed('breaker', waitMs)
  }

  async function turn(request: AssumeRoleRequest, until: number): Promise<Session> {
    // While this one waited for its turn, those before it may have found out that STS is gone.
    mustBeClosed()
    const mostMs = until - monotonic() - SHORTEST_CALL_MS
    const waitMs = await rate.reserve(mostMs)
    if (waitMs > mostMs) throw new Shed('rate', waitMs)
    if (waitMs > 0) await waits.sleep(waitMs)
    return breaker.run(() => call(request, until), isFailure)
  }

  async function attempt(request: AssumeRoleRequest, when: When): Promise<Session> {
    try {
      mustBeClosed()
      return await bulkhead.run(() => turn(request, when.until), when)
    } catch (error) {
      if (error instanceof BreakerOpenError) throw new Shed('breaker', error.waitMs)
      if (!(error instanceof QueueError)) throw error
      if (error.reason === 'closed') throw new VendError('not_ready')
      throw new Shed('queue', (1000 * bulkhead.load().queued) / perSecond)
    }
  }

  async function repeat(request: AssumeRoleRequest, when: When): Promise<Session> {
    for (let tried = 1; ; tried++) {
      try {
        return await attempt(request, when)
      } catch (error) {
        if (!(error instanceof VendError) || error.code !== 'upstream_unavailable') throw error
        const { retryAfterSeconds } = error
        const waitMs =
          retryAfterSeconds === undefined ? random() * BACKOFF_MS * 2 ** (tried - 1) : retryAfterSeconds * 1000
        const enough = tried === ATTEMPTS || when.background || breaker.waitMs() > 0
        if (enough || monotonic() + waitMs + SHORTEST_CALL_MS > when.until) {
          throw unavailable(Math.max(breaker.waitMs(), 1000 * (retryAfterSeconds ?? 1)), error)
        }
        await waits.sleep(waitMs)
      }
    }
  }

  return {
    assumeRole: (request, when) =>
      repeat(request, when).catch((error: unknown) => {
        if (!(error instanceof Shed)) throw error
        if (when.background) throw new PostponedError()
        count.shed.inc({ reason: error.reason })
        throw unavailable(error.waitMs, { log: { upstream: { reason: `shed by ${error.reason}` } } })
      }),
    close() {
      bulkhead.close()
      for (const controller of running) controller.abort()
    },
  }
}

/** Whether an error says that STS is ill. One that refuses us is well. */
function isFailure(error: unknown): boolean {
  return error instanceof VendError && (error.code === 'upstream_unavailable' || error.code === 'upstream_timeout')
}

function unavailable(waitMs: number, { log, cause }: Pick<VendError, 'log'> & { cause?: unknown }): VendError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
  return new VendError('upstream_unavailable', { retryAfterSeconds, cause, ...(log && { log }) })
}
