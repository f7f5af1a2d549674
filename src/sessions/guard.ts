import { hash } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { VendError } from '../errors.ts'
import type { ClosableClock } from '../lib/clock.ts'
import type { Grant } from '../policy/grant/grant.ts'
import { createBookings } from './bookings.ts'
import { createBreaker } from './breaker.ts'
import { createBulkhead } from './bulkhead.ts'
import type { NewSessions } from './new-sessions.ts'
import type { Rate } from './rate.ts'
import { enoughFromSts, type Session } from './session.ts'
import type { SessionMetrics } from './session-metrics.ts'
import type { Needs, Owner, SessionSource } from './session-source.ts'
import { Shed } from './shed.ts'

type Dependencies = Readonly<{
  clock: ClosableClock
  logger: Pick<FastifyBaseLogger, 'warn' | 'info'>
  /** The target whose STS this is. */
  target: string
  metrics: Pick<SessionMetrics, 'shed' | 'watchGuard'>
  /** From 0 to 1. */
  random: () => number
  rate: Rate
  /** The rate, to foretell how long a turn will take. */
  maxRps: number
  /** Calls at a time. */
  connections: number
  /** Most that a caller waits. */
  deadlineMs: number
  /** How many new sessions each caller may cause, at all targets together. Calls that fail count at their target alone. */
  newSessions: NewSessions
  /** A session with less than this is of no use to anybody. */
  minValidityMs: number
}>

const ATTEMPTS = 3
/** Full jitter: a repeat comes after a random part of this, which doubles each time. */
const BACKOFF_MS = 200
/** So long before a caller's time is over those who wait are told, and no call begins. */
const SHORTEST_CALL_MS = 20
/** A caller who asks again after it finds the call still running, or its session. */
const RETRY_MS = 1000
/** How much of the average the last call is. */
const LAST_CALL_SHARE = 1 / 8
/** How STS is left alone once it has failed: after so many failures in a row, for so long. */
export const BREAKER = { failures: 5, openMs: 5000, probeMs: 1000 } as const

/**
 * Keeps STS and those who wait for it from harm: new sessions are limited for each caller, callers take turns, calls keep
 * to the rate, failed ones are repeated, and an STS that keeps failing is left alone.
 *
 * AssumeRole may be repeated: a second session opens nothing that the first does not, and ends by itself. It is not
 * repeated after a timeout, since an STS that is slow is not helped by being asked more.
 */
export function guard(next: SessionSource, dependencies: Dependencies): SessionSource {
  const { clock, logger, target, random, rate, maxRps, connections, deadlineMs, minValidityMs, newSessions, metrics } =
    dependencies
  const { monotonic } = clock
  const breaker = createBreaker({
    ...BREAKER,
    monotonic,
    onOpen: () => logger.warn({ target, ...BREAKER }, 'STS keeps failing: it is left alone for a while'),
    onClose: () => logger.info({ target }, 'STS is back'),
  })
  /** How long the last calls held their places. Only those that brought a session: a failure says nothing about it. */
  let callMs: number | undefined
  const queue = createBulkhead({
    limit: connections,
    perSecond: maxRps,
    deadlineMs,
    callMs: () => callMs ?? 0,
    clock,
    bookings: createBookings(monotonic, random),
  })
  metrics.watchGuard(target, { state: breaker.state, load: queue.load })

  async function call(grant: Grant, needs: Needs, owner: string): Promise<Session> {
    // While this one waited for its turn, those before it may have found out that STS is down.
    breaker.check()
    const began = monotonic()
    const mostMs = needs.until - SHORTEST_CALL_MS - began
    const waitMs = await rate.reserve(mostMs)
    if (waitMs > mostMs) throw new Shed('rate', Math.max(waitMs, queue.comeAgainMs(owner)))
    if (waitMs > 0) await clock.sleep(waitMs)
    const session = await breaker.run(() => next.session(grant, needs), isFailure)
    const tookMs = monotonic() - began
    callMs = callMs === undefined ? tookMs : callMs + (tookMs - callMs) * LAST_CALL_SHARE
    return session
  }

  async function attempt(grant: Grant, needs: Needs, owner: string): Promise<Session> {
    breaker.check()
    const { until, background = false } = needs
    return queue.run(() => call(grant, needs, owner), { owner, until: until - SHORTEST_CALL_MS, background })
  }

  async function repeat(grant: Grant, needs: Needs): Promise<Session> {
    const owner = ownerKey(needs.owner)
    // A refresh is the service's own doing, and so is a session that many callers share: their number is fixed, and one
    // caller's failures must not use up the limit of all.
    const taken = needs.background || 'shared' in needs.owner ? undefined : newSessions.take(owner, target)
    for (let tried = 1; ; tried++) {
      try {
        return await attempt(grant, needs, owner)
      } catch (error) {
        if (!isFailure(error)) {
          if (error instanceof Shed && tried === 1) taken?.giveBack()
          else taken?.failed()
          throw error
        }
        const { code, retryAfterSeconds } = error
        const waitMs =
          retryAfterSeconds === undefined ? random() * BACKOFF_MS * 2 ** (tried - 1) : retryAfterSeconds * 1000
        const enough = tried === ATTEMPTS || code === 'upstream_timeout' || needs.background || breaker.waitMs() > 0
        if (enough || monotonic() + waitMs + SHORTEST_CALL_MS > needs.until) {
          taken?.failed()
          const askAgainMs = retryAfterSeconds === undefined ? RETRY_MS : retryAfterSeconds * 1000
          throw askAgain(error, Math.max(breaker.waitMs(), askAgainMs))
        }
        await clock.sleep(waitMs)
      }
    }
  }

  return {
    async session(grant, needs) {
      try {
        const session = await repeat(grant, needs)
        if (session.endsAt - monotonic() >= enoughFromSts(minValidityMs, grant)) return session
      } catch (error) {
        if (error instanceof Shed && !needs.background) metrics.shed(target, error.reason)
        throw error
      }
      const log = { upstream: { reason: 'session too short' } }
      throw new VendError('upstream_unavailable', { retryAfterSeconds: 1, log })
    },
    close() {
      queue.close()
      return next.close()
    },
  }
}

type Failure = VendError & Readonly<{ code: 'upstream_unavailable' | 'upstream_timeout' }>

/** Whether an error says that STS is ill. An STS that refuses us is well, and one that was not asked may be. */
function isFailure(error: unknown): error is Failure {
  if (!(error instanceof VendError) || error instanceof Shed) return false
  return error.code === 'upstream_unavailable' || error.code === 'upstream_timeout'
}

/**
 * The key of an owner's counts, hashed so that a long subject takes no more memory than a short one. A caller is a pair,
 * and so never has the key of a shared session.
 */
function ownerKey(owner: Owner): string {
  const parts = 'shared' in owner ? [owner.shared] : [owner.issuer, owner.subject]
  return hash('sha256', JSON.stringify(parts), 'base64url')
}

/** The same failure with a Retry-After that is meant. */
function askAgain({ code, log, cause }: Failure, waitMs: number): VendError {
  return new VendError(code, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)), cause, ...(log && { log }) })
}
