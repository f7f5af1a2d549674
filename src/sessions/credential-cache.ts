import { LRUCache } from 'lru-cache'
import { VendError } from '../errors.ts'
import type { ClosableClock } from '../lib/clock.ts'
import type { AssumeRoleRequest, Credentials } from '../sts/credentials.ts'
import type { CacheMetrics } from './cache-metrics.ts'
import { type Session, standing } from './session.ts'
import type { SessionStore } from './session-store.ts'
import type { SharedCache } from './shared-cache.ts'
import { type Owner, PostponedError, type Upstream, type When } from './upstream.ts'

/** Credentials, and who had them: this process, another replica, or STS just now. */
export type Found = Readonly<{ credentials: Credentials; from: 'cache' | 'shared' | 'sts' }>

/** What is needed of a session, by whom, and how long they wait for it. */
export type Need = Readonly<{ owner: Owner; validityMs: number; deadlineMs: number }>

/** Sessions, from wherever they are nearest. */
export type CredentialCache = Readonly<{
  /**
   * A session for the grant of this key, with at least `validityMs` left. One that is here comes without a promise.
   * @throws {VendError} as {@link Upstream} does; `upstream_unavailable` also when `deadlineMs` are over
   */
  find(key: string, request: AssumeRoleRequest, need: Need): Found | Promise<Found>
  /** Resolves when nothing is under way any more; begins no refresh from now on. */
  settle(): Promise<void>
}>

type Dependencies = Readonly<{
  store: SessionStore
  /** Left out where replicas share nothing. */
  shared?: SharedCache | undefined
  upstream: Upstream
  clock: ClosableClock
  random: () => number
  metrics: CacheMetrics
  /** After so long no call begins for a session, whoever waits for it. */
  flightMs: number
  /** A session with less than this left is of no use to anybody. */
  minValidityMs: number
}>

/**
 * A session on its way, for all who ask meanwhile. It belongs to none of them: nobody can cancel it, and it arrives in the
 * cache even after all of them were told to come again.
 */
type Flight = Readonly<{
  outcome: Promise<Landed>
  background: boolean
  /** Told of everybody who joins; does something while other replicas wait for this one. */
  joined: () => void
}>
type Landed = Readonly<{ session: Session; from: 'shared' | 'sts' }>

/** What went wrong for a grant, and until when it is not tried again without need. */
type Failure = Readonly<{ error: unknown; until: number }>

/** STS's refusal is remembered for so long, so that a broken key or policy does not make each request a call. */
const DENIED_MS = 3000
/** A refresh that failed is not tried again for so long, and one that had no turn for so long; give or take a half. */
const AGAIN_MS = { failed: 10_000, postponed: 1000 } as const
const MAX_FAILURES = 10_000

/** The in-memory level, which asks the shared one, which asks STS. */
export function createCredentialCache(dependencies: Dependencies): CredentialCache {
  const { store, shared, upstream, clock, random, metrics, flightMs, minValidityMs } = dependencies
  const { monotonic } = clock
  const flights = new Map<string, Flight>()
  const handovers = new Set<Promise<void>>()
  const failures = new LRUCache<string, Failure>({ max: MAX_FAILURES })
  let settling = false

  /** `lengthMs` is that of the whole session, of which some may be over. */
  function keep(key: string, session: Session, lengthMs: number): void {
    failures.delete(key)
    // When half of it is gone or up to a tenth later, so that what began together is not renewed together.
    store.set(key, { ...session, refreshAt: session.endsAt - lengthMs * (0.5 - 0.1 * random()) })
  }

  /** Not waited for by the caller, who has what it wants. */
  function handOver(handover: Promise<void> | undefined): void {
    if (!handover) return
    handovers.add(handover)
    handover.catch(() => {}).finally(() => handovers.delete(handover))
  }

  async function fly(
    key: string,
    request: AssumeRoleRequest,
    needMs: number,
    when: When,
    onJoin: (joined: () => void) => void,
  ): Promise<Landed> {
    const others = await shared?.find(key, { needMs, until: when.until, wait: !when.background })
    if (others?.kind === 'busy') throw when.background ? new PostponedError() : stillAsking('another replica is asking')
    if (others?.kind === 'session') {
      keep(key, others.session, request.durationSeconds * 1000)
      return { session: others.session, from: 'shared' }
    }
    if (others) onJoin(others.keep)
    try {
      const session = await upstream.assumeRole(request, when)
      if (left(session) < minValidityMs) throw tooShort()
      // What it got and not what was asked for: a shorter session would be due at once, and so would the next.
      keep(key, session, left(session))
      handOver(others?.done(session))
      return { session, from: 'sts' }
    } catch (error) {
      handOver(others?.done())
      const kept = store.get(key)
      if (!others?.doubtful || !isDenied(error) || (kept && left(kept) >= needMs)) throw error
      // STS refuses whose date is wrong, so that it is Redis who is right. Until it does not, it is asked as seldom.
      keep(key, others.doubtful, request.durationSeconds * 1000)
      failures.set(key, { error, until: monotonic() + DENIED_MS })
      return { session: others.doubtful, from: 'shared' }
    }
  }

  function start(
    key: string,
    request: AssumeRoleRequest,
    needMs: number,
    who: Pick<When, 'owner' | 'background'>,
  ): Flight {
    const when = { ...who, until: monotonic() + flightMs }
    let joined = () => {}
    const onJoin = (told: () => void) => {
      joined = told
    }
    const outcome = fly(key, request, needMs, when, onJoin).then(
      (landed) => {
        flights.delete(key)
        return landed
      },
      (error: unknown) => {
        // In one step: whoever came in between would begin another.
        flights.delete(key)
        const forMs = isDenied(error) ? DENIED_MS : AGAIN_MS[outcomeOf(error)] * (0.5 + random())
        failures.set(key, { error, until: monotonic() + forMs })
        throw error
      },
    )
    // All who waited may have gone when it fails.
    outcome.catch(() => {})
    const flight = { outcome, background: who.background, joined: () => joined() }
    flights.set(key, flight)
    return flight
  }

  const left = (session: Session) => session.endsAt - monotonic()

  function lastFailure(key: string): Failure | undefined {
    const failure = failures.get(key)
    return failure && failure.until > monotonic() ? failure : undefined
  }

  function refresh(key: string, request: AssumeRoleRequest, owner: Owner): void {
    if (settling || flights.has(key) || lastFailure(key)) return
    // Another replica's session will do while it is in its first half.
    const { outcome } = start(key, request, request.durationSeconds * 500, { owner, background: true })
    outcome.then(
      () => metrics.refreshed('ok'),
      (error: unknown) => metrics.refreshed(outcomeOf(error)),
    )
  }

  async function fetch(key: string, request: AssumeRoleRequest, need: Need): Promise<Found> {
    const { owner, validityMs, deadlineMs } = need
    const until = monotonic() + deadlineMs
    const late = () => Promise.reject(stillAsking('the call to STS still runs'))
    for (;;) {
      const running = flights.get(key)
      const denied = running ? undefined : lastFailure(key)?.error
      if (isDenied(denied)) throw denied
      metrics.count(running ? 'joined' : 'miss')
      running?.joined()
      const flight = running ?? start(key, request, validityMs, { owner, background: false })
      try {
        const { session, from } = await clock.within(flight.outcome, until - monotonic(), late)
        if (left(session) >= validityMs) return { credentials: session, from }
        // Whoever began it wanted less; it is no use to ask again for what has just been asked for.
        if (!running) throw tooShort()
      } catch (error) {
        if (!flight.background) throw error
        // A refresh gives up where somebody who needs the session does not.
        if (monotonic() >= until) throw stillAsking('a refresh gave up')
      }
    }
  }

  /** When the clocks disagree, a new session is better; but while none can be had, the one that is here is the best. */
  async function fetchIfPossible(key: string, request: AssumeRoleRequest, need: Need, kept: Session): Promise<Found> {
    if (lastFailure(key)) return { credentials: kept, from: 'cache' }
    return fetch(key, request, need).catch((error: unknown) => {
      if (left(kept) < need.validityMs) throw error
      return { credentials: kept, from: 'cache' }
    })
  }

  return {
    find(key, request, need) {
      const kept = store.get(key)
      const stands = kept ? standing(kept, need.validityMs, clock) : 'over'
      if (!kept || stands === 'over') return fetch(key, request, need)
      if (stands === 'doubtful') return fetchIfPossible(key, request, need, kept)
      metrics.count('hit')
      if (monotonic() >= kept.refreshAt) refresh(key, request, need.owner)
      return { credentials: kept, from: 'cache' }
    },
    async settle() {
      settling = true
      await Promise.allSettled([...flights.values()].map(({ outcome }) => outcome))
      await Promise.allSettled(handovers)
    },
  }
}

const isDenied = (error: unknown) => error instanceof VendError && error.code === 'upstream_denied'
const outcomeOf = (error: unknown) => (error instanceof PostponedError ? 'postponed' : 'failed')

/** Callers who ask again join what is under way, or find what it brought. */
function stillAsking(reason: string): VendError {
  return new VendError('upstream_unavailable', { retryAfterSeconds: 1, log: { upstream: { reason } } })
}

function tooShort(): VendError {
  return new VendError('upstream_unavailable', {
    retryAfterSeconds: 1,
    log: { upstream: { reason: 'session too short' } },
  })
}
