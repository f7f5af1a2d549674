import { createPublicKey } from 'node:crypto'
import { createLocalJWKSet, exportSPKI, type JSONWebKeySet } from 'jose'
import { z } from 'zod'

/** How often an unknown `kid` may make us ask the issuer again. */
const UNKNOWN_KEY_COOLDOWN_MS = 30_000
/** How often to ask while there is no key at all. */
const FIRST_KEYS_COOLDOWN_MS = 1000
/** After this a set is fetched again in the background; until it arrives the old one serves. */
export const REFRESH_AFTER_MS = 600_000

// A set without a key is a fault of its server: taken for a revocation it would shut every caller out.
const keySetSchema = z.looseObject({
  keys: z
    .array(z.looseObject({ kty: z.string() }))
    .min(1)
    .max(256),
})

/** No key has ever been fetched from this issuer, so nothing can be said about its tokens. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError'
}

/** What of a token's header picks its key. Its `jku`, `x5u`, `jwk` and `x5c` are never looked at. */
export type KeyHint = Readonly<{ alg: string; kid?: string | undefined }>

/** The public keys of one issuer. */
export type KeySet = Readonly<{
  /**
   * The SPKI PEM that verifies a token with this header; undefined when the issuer has none.
   * @throws {KeysUnavailableError}
   */
  find(hint: KeyHint): Promise<string | undefined>
  /** Whether keys have been fetched at least once. */
  loaded(): boolean
  /** Fetches now; failures are told to `onFailure` and leave the present keys in place. */
  refresh(): Promise<void>
}>

type KeySetOptions = Readonly<{
  /** Brings the JWKS as parsed JSON, within its own limits of time and size. */
  fetchKeys: () => Promise<unknown>
  onFailure: (error: unknown) => void
  /** Milliseconds, by a clock that nobody can set: one set back by an hour would keep keys from being asked for so long. */
  now?: () => number
}>

/**
 * Keeps an issuer's keys by (`kid`, `alg`). Keys that are here serve without waiting for anybody: the issuer's key
 * server is asked in the background, and by a token with an unknown `kid` at most once in 30 s, so neither its death
 * nor a flood of invented `kid`s reaches callers with good tokens.
 */
export function createKeySet({ fetchKeys, onFailure, now = () => performance.now() }: KeySetOptions): KeySet {
  let pick: ReturnType<typeof createLocalJWKSet> | undefined
  let found = new Map<string, string>()
  let fetchedAt = Number.NEGATIVE_INFINITY
  let attemptedAt = Number.NEGATIVE_INFINITY
  let inFlight: Promise<void> | undefined

  async function load(): Promise<void> {
    attemptedAt = now()
    try {
      const keySet = keySetSchema.parse(await fetchKeys())
      pick = createLocalJWKSet(keySet as JSONWebKeySet)
      found = new Map()
      fetchedAt = now()
    } catch (error) {
      onFailure(error)
    } finally {
      inFlight = undefined
    }
  }

  const refresh = () => {
    inFlight ??= load()
    return inFlight
  }

  async function lookUp({ alg, kid }: KeyHint): Promise<string | undefined> {
    const id = JSON.stringify([alg, kid])
    const known = found.get(id)
    if (known !== undefined || !pick) return known
    const cache = found
    try {
      const pem = await exportSPKI(await pick({ alg, ...(kid !== undefined && { kid }) }))
      if ((createPublicKey(pem).asymmetricKeyDetails?.modulusLength ?? 2048) < 2048) return undefined
      cache.set(id, pem)
      return pem
    } catch {
      // None fits, several do, or the one that does is malformed, for which there is no one type of error. All of them
      // are a key that is not there, so that the set is asked for again: the issuer may have mended it.
      return undefined
    }
  }

  return {
    loaded: () => pick !== undefined,
    refresh,
    async find(hint) {
      const key = await lookUp(hint)
      const sinceAttempt = now() - attemptedAt
      if (key !== undefined) {
        if (now() - fetchedAt >= REFRESH_AFTER_MS && sinceAttempt >= UNKNOWN_KEY_COOLDOWN_MS) void refresh()
        return key
      }
      if (inFlight || sinceAttempt >= (pick ? UNKNOWN_KEY_COOLDOWN_MS : FIRST_KEYS_COOLDOWN_MS)) await refresh()
      if (!pick) throw new KeysUnavailableError()
      return lookUp(hint)
    },
  }
}
