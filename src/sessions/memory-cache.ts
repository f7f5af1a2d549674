import { LRUCache } from 'lru-cache'
import { type ErrorCode, VendError } from '../errors.ts'
import type { ClosableClock } from '../lib/clock.ts'
import type { Grant } from '../policy/grant/grant.ts'
import { enoughFromSts, type Session, standing } from './session.ts'
import type { SessionMetrics } from './session-metrics.ts'
import type { Needs, Owner, SessionSource } from './session-source.ts'
import { createSessionStore } from './session-store.ts'
import { Shed } from './shed.ts'

type Dependencies = Readonly<{
  maxEntries: number
  maxBytes: number
  /** Most that a call for a session may wait before it begins, however many callers wait for it. */
  deadlineMs: number
  /** The name of a grant in the caches: different for different grants. */
  keyOf: (grant: Grant) => string
  /** A session with less than this is of no use to the next caller. */
  minValidityMs: number
  clock: ClosableClock
  /** From 0 to 1. */
  random: () => number
  metrics: Pick<SessionMetrics, 'lookedUp' | 'refreshed' | 'evicted' | 'watchCache'>
}>

/**
 * A session on its way, for all who ask meanwhile. It belongs to none of them: nobody can cancel it, and it arrives in the
 * cache even after all of them were told to come again.
 */
type Flight = Readonly<{ outcome: Promise<Session>; background: boolean; owner: Owner }>

/** The last failure of a grant, and until when it is not tried again without need. */
type Failure = Readonly<{ error?: unknown; until: number }>

/** STS's refusal is remembered for so long, so that a broken key or policy does not make each request a call. */
const DENIED_MS = 3000
/** A refresh that failed is not tried again for so long, and one that had no turn for so long; give or take a half. */
const AGAIN_MS = { failed: 10_000, postponed: 1000 } as const
const MAX_FAILURES = 10_000

/** The sessions of this process. Requests for the same grant share one call; a session is renewed before it is due. */
export function memoryCache(next: SessionSource, dependencies: Dependencies): SessionSource {
  const { clock, random, keyOf, deadlineMs, minValidityMs, metrics } = dependencies
  const { monotonic } = clock
  const store = createSessionStore({ ...dependencies, monotonic, onEvict: metrics.evicted })
  metrics.watchCache({
    size: store.size,
    nextEndMs() {
      const next = store.nextEnd()
      return next === undefined ? undefined : Math.max(0, next - monotonic())
    },
  })
  /** Calls that are under way, by key; those that must go to STS apart from those that Redis may answer. */
  const flights = new Map<string, Flight>()
  const flightName = (key: string, fresh = false) => (fresh ? `${key} fresh` : key)
  const failures = new LRUCache<string, Failure>({ max: MAX_FAILURES })

  const began = (session: Session) => session.endsAt - session.lengthMs
  const left = (session: Session) => session.endsAt - monotonic()

  function lastFailure(key: string): Failure | undefined {
    const failure = failures.get(key)
    return failure && failure.until > monotonic() ? failure : undefined
  }

  function keep(key: string, session: Session, needMs: number): void {
    const kept = store.get(key)
    // A refresh that began before a fresh session was asked for may bring the old one, out of Redis, after it.
    if (kept && began(kept) > began(session)) return
    // When half of it is over or up to a tenth later, so that what began together is not renewed together.
    const refreshAt = session.endsAt - session.lengthMs * (0.5 - 0.1 * random())
    if (left(session) >= minValidityMs) store.set(key, { ...session, from: 'cache', refreshAt })
    // The next level has only a session that the clocks disagree about: it is not asked for a surer one at once.
    if (standing(session, needMs, clock) === 'doubtful') failures.set(key, { until: monotonic() + DENIED_MS })
    else failures.delete(key)
  }

  function start(key: string, grant: Grant, needs: Omit<Needs, 'until'>): Flight {
    const name = flightName(key, needs.fresh)
    const fetched = next.session(grant, { ...needs, until: monotonic() + deadlineMs })
    const outcome = fetched.then(
      (session) => {
        flights.delete(name)
        keep(key, session, needs.validityMs)
        return session
      },
      (error: unknown) => {
        // In one step: a request that came in between would begin another.
        flights.delete(name)
        const forMs = isDenied(error) ? DENIED_MS : AGAIN_MS[outcomeOf(error)] * (0.5 + random())
        failures.set(key, { error, until: monotonic() + forMs })
        throw error
      },
    )
    // All who waited may have left when it fails.
    outcome.catch(() => {})
    const flight = { outcome, background: needs.background ?? false, owner: needs.owner }
    flights.set(name, flight)
    return flight
  }

  /** Renews a session in the background, for the next request. */
  function refresh(key: string, grant: Grant, owner: Owner): void {
    if (flights.has(key) || lastFailure(key)) return
    // Another replica's session will do while it is in its first half.
    const needs = { owner, validityMs: grant.durationSeconds * 500, background: true }
    start(key, grant, needs).outcome.then(
      () => metrics.refreshed('ok'),
      (error: unknown) => metrics.refreshed(outcomeOf(error)),
    )
  }

  /** Joins the call that is under way for the grant, or begins one. */
  async function fetch(key: string, grant: Grant, { until, ...needs }: Needs): Promise<Session> {
    const { validityMs, fresh } = needs
    const late = () => Promise.reject(askAgain('the call to STS still runs'))
    for (;;) {
      const running = flights.get(flightName(key, fresh))
      const denied = running ? undefined : lastFailure(key)?.error
      if (isDenied(denied)) throw denied
      metrics.lookedUp(running ? 'joined' : 'miss')
      const flight = running ?? start(key, grant, needs)
      try {
        const session = await clock.within(flight.outcome, until - monotonic(), late)
        if (left(session) >= enoughFromSts(validityMs, grant)) return session
        // The caller who began it needed less. It is no use to ask again for what has just been asked for.
        if (!running) throw askAgain('session too short')
      } catch (error) {
        // The limit is that of the caller who began the call, and not of others who joined it.
        const isOthers = isCode(error, 'rate_limited') && !isSameCaller(flight.owner, needs.owner)
        if (!flight.background && !isOthers) throw error
        // A refresh gives up where a caller who needs the session does not.
        if (monotonic() >= until) throw askAgain('a refresh gave up')
      }
    }
  }

  /** When the clocks disagree, a new session is better; but while none can be had, the one that is here is the best. */
  async function fetchIfPossible(key: string, grant: Grant, needs: Needs, kept: Session): Promise<Session> {
    if (lastFailure(key)) return kept
    return fetch(key, grant, needs).catch((error: unknown) => {
      if (left(kept) < needs.validityMs) throw error
      return kept
    })
  }

  return {
    async session(grant, needs) {
      const key = keyOf(grant)
      if (needs.fresh) return fetch(key, grant, needs)
      const kept = store.get(key)
      const stands = kept ? standing(kept, needs.validityMs, clock) : 'over'
      if (!kept || stands === 'over') return fetch(key, grant, needs)
      if (stands === 'doubtful') return fetchIfPossible(key, grant, needs, kept)
      metrics.lookedUp('hit')
      if (monotonic() >= kept.refreshAt) refresh(key, grant, needs.owner)
      return kept
    },
    async close() {
      await next.close()
      await Promise.allSettled([...flights.values()].map(({ outcome }) => outcome))
      store.clear()
    },
  }
}

const isSameCaller = (a: Owner, b: Owner) =>
  'subject' in a && 'subject' in b && a.issuer === b.issuer && a.subject === b.subject
const isCode = (error: unknown, code: ErrorCode) => error instanceof VendError && error.code === code
const isDenied = (error: unknown) => isCode(error, 'upstream_denied')
const outcomeOf = (error: unknown) => (error instanceof Shed ? 'postponed' : 'failed')

/** Callers who ask again join the call that is under way, or find its session. */
const askAgain = (reason: string) =>
  new VendError('upstream_unavailable', { retryAfterSeconds: 1, log: { upstream: { reason } } })
