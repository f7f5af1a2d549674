import { hash } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { Registry } from 'prom-client'
import { VendError } from '../errors.ts'
import type { ClosableClock } from '../lib/clock.ts'
import type { AssumeRoleRequest, CredentialSource } from '../sts/credentials.ts'
import { createBookings } from './bookings.ts'
import { BreakerOpenError, createBreaker } from './breaker.ts'
import { createBulkhead, QueueError } from './bulkhead.ts'
import { createNewSessions } from './new-sessions.ts'
import type { Rate } from './rate.ts'
import { type Session, sessionOf } from './session.ts'
import { createUpstreamMetrics } from './upstream-metrics.ts'

/** The caller for whom STS is asked: by it turns and limits are given, nothing else. */
export type Owner = Readonly<{ issuer: string; subject: string }>

/**
 * No call begins after `until` (monotonic clock); one that has begun goes on. `background` is for a caller who still has
 * a session: it never waits for its turn.
 */
export type When = Readonly<{ owner: Owner; until: number; background: boolean }>

/** STS was not asked for a session that can wait, because others cannot or because it is ill. */
export class PostponedError extends Error {
  override readonly name = 'PostponedError'
}

/** STS, behind everything that keeps it and those who wait for it from harm. */
export type Upstream = Readonly<{
  /**
   * A new session, or an error: by `until`, or when the call that has begun by then ends.
   * @throws {PostponedError} `background` only
   * @throws {VendError} `upstream_denied`; with a Retry-After that is meant: `upstream_unavailable`, `upstream_timeout`
   * when STS did not answer in its own time, `rate_limited` for a caller who causes too many new sessions
   */
  assumeRole(request: AssumeRoleRequest, when: When): Promise<Session>
  /** Drops what runs and refuses what comes. */
  close(): void
}>

type Dependencies = Readonly<{
  source: CredentialSource
  clock: ClosableClock
  logger: Pick<FastifyBaseLogger, 'warn' | 'info'>
  random: () => number
  rate: Rate
  /** The rate, to foretell how long a turn will take. */
  perSecond: number
  /** Calls at a time. */
  limit: number
  /** Most that a call takes. */
  timeoutMs: number
  /** Most that anybody clock. */
  deadlineMs: number
  /** New sessions that one caller may cause; 0 for no limit. */
  newSessionsPerMinute: number
  metrics: Registry
}>

const ATTEMPTS = 3
/** Full jitter: a repeat comes after a random part of this, which doubles each time. */
const BACKOFF_MS = 200
/** So long before a caller's time is over those who wait are told, and no call begins. */
const SHORTEST_CALL_MS = 20
/** A caller who comes again after it finds the call still running, or its session. */
const RETRY_MS = 1000
/** How much of the average the last call is. */
const LAST_CALL_SHARE = 1 / 8
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
  const { source, clock, logger, random, rate, timeoutMs, metrics } = dependencies
  const { monotonic } = clock
  const breaker = createBreaker({
    ...BREAKER,
    monotonic,
    onOpen: () => logger.warn(BREAKER, 'STS keeps failing: it is left alone for a while'),
    onClose: () => logger.info('STS is back'),
  })
  /** How long the last calls held their places. Of those that brought a session: what fails says nothing about it. */
  let callMs: number | undefined
  const bookings = createBookings(monotonic, random)
  const bulkhead = createBulkhead({ ...dependencies, callMs: () => callMs ?? 0, bookings })
  const newSessions = createNewSessions({ max: dependencies.newSessionsPerMinute, monotonic, metrics })
  const count = createUpstreamMetrics(metrics, breaker.state, bulkhead.load)
  const running = new Set<AbortController>()

  async function call(request: AssumeRoleRequest): Promise<Session> {
    const asked = { now: clock.now(), monotonic: monotonic(), durationSeconds: request.durationSeconds }
    const controller = new AbortController()
    running.add(controller)
    try {
      const answer = source.assumeRole(request, { signal: controller.signal })
      // Never cut by a caller's deadline: that would say nothing about STS, and waste a session that the caller finds
      // when it asks again. The source keeps the same limit; this one holds whatever the source does.
      const credentials = await clock.within(answer, timeoutMs, () => {
        throw new VendError('upstream_timeout', { log: { upstream: { reason: 'no answer' } } })
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

  async function turn(request: AssumeRoleRequest, owner: string, until: number): Promise<Session> {
    // While this one waited for its turn, those before it may have found out that STS is gone.
    mustBeClosed()
    const began = monotonic()
    const mostMs = until - began
    const waitMs = await rate.reserve(mostMs)
    if (waitMs > mostMs) throw new Shed('rate', Math.max(waitMs, bulkhead.comeAgainMs(owner)))
    if (waitMs > 0) await clock.sleep(waitMs)
    const session = await breaker.run(() => call(request), isFailure)
    const tookMs = monotonic() - began
    callMs = callMs === undefined ? tookMs : callMs + (tookMs - callMs) * LAST_CALL_SHARE
    return session
  }

  async function attempt(request: AssumeRoleRequest, owner: string, when: When): Promise<Session> {
    const until = when.until - SHORTEST_CALL_MS
    try {
      mustBeClosed()
      return await bulkhead.run(() => turn(request, owner, until), { ...when, owner, until })
    } catch (error) {
      if (error instanceof BreakerOpenError) throw new Shed('breaker', error.waitMs)
      if (!(error instanceof QueueError)) throw error
      if (error.reason === 'closed') throw new VendError('not_ready')
      throw new Shed('queue', error.waitMs)
    }
  }

  async function repeat(request: AssumeRoleRequest, when: When): Promise<Session> {
    const owner = ownerKey(when.owner)
    // A refresh is the service's own doing.
    const giveBack = when.background ? undefined : newSessions.take(owner)
    for (let tried = 1; ; tried++) {
      try {
        return await attempt(request, owner, when)
      } catch (error) {
        if (error instanceof Shed && tried === 1) giveBack?.()
        if (!isFailure(error)) throw error
        const { code, retryAfterSeconds } = error
        const waitMs =
          retryAfterSeconds === undefined ? random() * BACKOFF_MS * 2 ** (tried - 1) : retryAfterSeconds * 1000
        const enough = tried === ATTEMPTS || code === 'upstream_timeout' || when.background || breaker.waitMs() > 0
        if (enough || monotonic() + waitMs + SHORTEST_CALL_MS > when.until) {
          const askAgainMs = retryAfterSeconds === undefined ? RETRY_MS : retryAfterSeconds * 1000
          throw askAgain(code, Math.max(breaker.waitMs(), askAgainMs), error)
        }
        await clock.sleep(waitMs)
      }
    }
  }

  return {
    assumeRole: (request, when) =>
      repeat(request, when).catch((error: unknown) => {
        if (!(error instanceof Shed)) throw error
        if (when.background) throw new PostponedError()
        count.shed.inc({ reason: error.reason })
        const log = { upstream: { reason: `shed by ${error.reason}` } }
        throw askAgain('upstream_unavailable', error.waitMs, { log })
      }),
    close() {
      bulkhead.close()
      for (const controller of running) controller.abort()
    },
  }
}

type Failure = VendError & Readonly<{ code: 'upstream_unavailable' | 'upstream_timeout' }>

/** Whether an error says that STS is ill. One that refuses us is well. */
function isFailure(error: unknown): error is Failure {
  return error instanceof VendError && (error.code === 'upstream_unavailable' || error.code === 'upstream_timeout')
}

/** What a caller is counted as. Hashed, so that a long subject takes no more memory than a short one. */
function ownerKey({ issuer, subject }: Owner): string {
  return hash('sha256', JSON.stringify([issuer, subject]), 'base64url')
}

function askAgain(
  code: Failure['code'],
  waitMs: number,
  { log, cause }: Pick<VendError, 'log'> & { cause?: unknown },
): VendError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
  return new VendError(code, { retryAfterSeconds, cause, ...(log && { log }) })
}
