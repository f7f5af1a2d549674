import type { Vended } from './contract.ts'

/** Early enough for the part that is under way. The service hands out a new session once 15 minutes are left. */
const RENEW_BEFORE_MS = 5 * 60_000

/** The credentials of one grant, always fresh enough to use. They stay in memory and are never stored. */
export type Session = Readonly<{
  /** Credentials with some minutes left, renewed first where they have fewer. */
  current(): Promise<Vended>
  /** New credentials in place of those that the store refused. */
  renew(refused: Vended): Promise<Vended>
  /** Breaks the session token, so that the store refuses it: a visitor asks for it, to watch the renewal. */
  damage(): void
}>

export function createSession(
  first: Vended,
  {
    fetch,
    now,
    onRenew,
  }: { fetch: (fresh: boolean) => Promise<Vended>; now: () => number; onRenew: (vended: Vended) => void },
): Session {
  let held = first
  let flight: Promise<Vended> | undefined

  /** Files that upload side by side share one request. */
  function renew(fresh: boolean): Promise<Vended> {
    flight ??= fetch(fresh)
      .then((vended) => {
        held = vended
        onRenew(vended)
        return vended
      })
      .finally(() => {
        flight = undefined
      })
    return flight
  }

  return {
    current: async () => (Date.parse(held.credentials.expiration) - now() < RENEW_BEFORE_MS ? renew(false) : held),
    // Another file may have renewed them in the meantime.
    renew: async (refused) => (held === refused ? renew(true) : held),
    damage() {
      const { sessionToken } = held.credentials
      const changed = (sessionToken.startsWith('A') ? 'B' : 'A') + sessionToken.slice(1)
      held = { ...held, credentials: { ...held.credentials, sessionToken: changed } }
    },
  }
}
