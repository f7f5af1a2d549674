import { hintOf, indexOf, type KeyHint } from './key-index.ts'
import { failureOf } from './key-server.ts'
import { type DroppedEntry, type PublishedKey, readPublishedKeys } from './published-keys.ts'
import { createRefetchBudget } from './refetch-budget.ts'

const REFRESH_AFTER_MS = 600_000
/** An answer that lacks keys is checked soon: one of them may have been revoked. */
const CONFIRM_AFTER_MS = 5000
const RETRY_AFTER_MS = 10_000
/** While no key can be used. */
const FIRST_KEYS_RETRY_MS = 1000
/** Fetches that tokens with unknown keys or bad signatures may cause: four at once, then six a minute. */
const BUDGET = { burst: 4, everyMs: 10_000 }
/** A fetch that is under way speaks of a token only if it began no longer than this before the token came. */
const JOINABLE_MS = 1000
const RETRY_AFTER_SECONDS = 2
const MAX_RETIRED = 1024

/** Nothing can be said about a token, because the issuer's keys are not known well enough. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError'
  readonly retryAfterSeconds: number
  /** Whether there is a set, so that only the key of this one token cannot be looked up. */
  readonly usable: boolean

  constructor(retryAfterSeconds: number, usable: boolean) {
    super('the keys of the issuer are not available')
    this.retryAfterSeconds = retryAfterSeconds
    this.usable = usable
  }
}

/** How a fetch ended: `result` is `ok` or the code of the failure. */
export type KeyFetch = Readonly<{
  result: string
  /** Whether tokens can be verified now. */
  usable: boolean
  /** Keys in use. */
  keys: number
  dropped: readonly DroppedEntry[]
  /** Keys that are used although the answer lacks them, until the next answer lacks them too. */
  lacking: number
  error?: unknown
}>

/** The public keys of one issuer. */
export type KeySet = Readonly<{
  /**
   * The SPKI PEM that verifies a token with this header; undefined when the issuer has none, by a fetch that began after
   * the token arrived or that it joined in flight, or when it has withdrawn the key.
   * @throws {KeysUnavailableError}
   */
  find(hint: KeyHint): Promise<string | undefined>
  /** Changes whenever keys do. */
  revision(): number
  /**
   * Whether the keys are others than at that revision, after a fetch if the budget allows one.
   * @throws {KeysUnavailableError} when they are not, but the last fetch failed: nobody knows what the issuer has now
   */
  changedSince(revision: number): Promise<boolean>
  /** Whether there are keys, and none of them too old. */
  usable(): boolean
  /** How long ago the set in use was asked for; undefined while there is none. */
  ageSeconds(): number | undefined
  /** Fetches in the background if it is time to. Call it about once a second. */
  tend(): void
  /** Fetches now, even when a fetch is under way that may not see what has just changed. Never rejects. */
  refresh(): Promise<void>
}>

type KeySetOptions = Readonly<{
  /** Brings the JWKS as parsed JSON, within its own limits of time and size. */
  fetchKeys: () => Promise<unknown>
  /** Older sets verify nothing. */
  maxAgeMs: number
  onFetch: (fetch: KeyFetch) => void
  /** Milliseconds, by a clock that nobody can set: set back by an hour, it would keep keys from being asked for so long. */
  now?: () => number
}>

/**
 * Keeps an issuer's keys. Known keys serve without waiting for anybody: sets are fetched in the background, and tokens
 * that no key fits share a small budget of fetches, so that neither a dead key server nor a flood of invented `kid`s
 * reaches callers with good tokens.
 */
export function createKeySet({ fetchKeys, maxAgeMs, onFetch, now = () => performance.now() }: KeySetOptions): KeySet {
  const budget = createRefetchBudget({ ...BUDGET, now })
  let answer: readonly PublishedKey[] | undefined
  let keys: readonly PublishedKey[] | undefined
  let index: ReadonlyMap<string, string | undefined> = new Map()
  let revision = 0
  let fetchedAt = Number.NEGATIVE_INFINITY
  let dueAt = Number.NEGATIVE_INFINITY
  /** Fetches are counted, so that it is certain which of them a token may rely on. */
  let begun = 0
  let begunAt = Number.NEGATIVE_INFINITY
  let answered = 0
  let inFlight: Promise<boolean> | undefined
  /** Whether the last fetch failed. */
  let failing = false
  /** Hints whose key the issuer has withdrawn, the oldest first. */
  const retired = new Set<string>()

  const tooOld = () => now() - fetchedAt > maxAgeMs
  const usable = () => keys !== undefined && keys.length > 0 && !tooOld()

  /** Returns the keys that are used although the new answer lacks them. */
  function take(published: readonly PublishedKey[]): readonly PublishedKey[] {
    // Keys that are too old do not live on because an answer lacks them.
    const isFirst = answer === undefined || tooOld()
    const before = isFirst ? [] : (answer ?? [])
    answer = published
    // One odd answer must not lock everybody out: a set that only lost keys, or never had one, needs a second one.
    if (isFirst && published.length === 0) {
      keys = undefined
      index = new Map()
      return []
    }
    const ids = new Set(published.map(({ id }) => id))
    const lost = before.filter(({ id }) => !ids.has(id))
    const lacking = published.length + lost.length === before.length ? lost : []
    install([...published, ...lacking])
    return lacking
  }

  function install(next: readonly PublishedKey[]) {
    const same = next.length === keys?.length && next.every(({ id }) => keys?.some((key) => key.id === id))
    if (same) return
    const hints = indexOf(next)
    for (const hint of index.keys()) if (!hints.has(hint)) retired.add(hint)
    for (const hint of hints.keys()) retired.delete(hint)
    for (const hint of retired) if (retired.size > MAX_RETIRED) retired.delete(hint)
    keys = next
    index = hints
    revision++
  }

  /** Resolves with whether it brought a set. */
  async function load(): Promise<boolean> {
    const number = ++begun
    begunAt = now()
    let fetched: Pick<KeyFetch, 'result' | 'error' | 'dropped' | 'lacking'>
    try {
      const published = readPublishedKeys(await fetchKeys())
      const { length: lacking } = take(published.keys)
      // The set is as old as its oldest key.
      if (lacking === 0) fetchedAt = begunAt
      answered = number
      fetched = { result: 'ok', dropped: published.dropped, lacking }
    } catch (error) {
      fetched = { result: failureOf(error), error, dropped: [], lacking: 0 }
    }
    inFlight = undefined
    const ok = fetched.result === 'ok'
    failing = !ok
    dueAt = now() + pauseMs(ok, fetched.lacking)
    onFetch({ ...fetched, usable: usable(), keys: keys?.length ?? 0 })
    return ok
  }

  function pauseMs(ok: boolean, lacking: number): number {
    if (keys === undefined || tooOld()) return FIRST_KEYS_RETRY_MS
    if (lacking > 0) return CONFIRM_AFTER_MS
    return ok && keys.length > 0 ? Math.min(REFRESH_AFTER_MS, maxAgeMs / 2) : RETRY_AFTER_MS
  }

  function fetchOnce(): Promise<boolean> {
    inFlight ??= load()
    return inFlight
  }

  const unavailable = () =>
    new KeysUnavailableError(Math.max(RETRY_AFTER_SECONDS, usable() ? Math.ceil(budget.waitMs() / 1000) : 0), usable())

  return {
    usable,
    revision: () => revision,
    ageSeconds: () => (keys === undefined ? undefined : (now() - fetchedAt) / 1000),
    tend() {
      if (now() >= dueAt) void fetchOnce()
    },
    async refresh() {
      await inFlight
      await fetchOnce()
    },
    async find(header) {
      const hint = hintOf(header)
      // The first fetch whose answer can say that there is no such key.
      const proof = inFlight && now() - begunAt <= JOINABLE_MS ? begun : begun + 1
      if (keys === undefined || tooOld()) {
        if (inFlight || now() >= dueAt) await fetchOnce()
        if (keys === undefined || tooOld()) throw unavailable()
      }
      for (;;) {
        const pem = index.get(hint)
        if (pem !== undefined) return pem
        if (answered >= proof) return undefined
        if (!inFlight && !budget.take()) {
          // An answer 503 must not keep the callers of a withdrawn key from fetching a new token.
          if (retired.has(hint) && !failing) return undefined
          throw unavailable()
        }
        if (!(await fetchOnce())) throw unavailable()
      }
    },
    async changedSince(before) {
      if (revision === before && (inFlight || budget.take())) await fetchOnce()
      if (revision !== before) return true
      // A key server that answers has not shown another key for ten seconds at most. One that fails may have one.
      if (failing) throw unavailable()
      return false
    },
  }
}
