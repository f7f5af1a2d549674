import type { Clock } from '../lib/clock.ts'
import type { Pool, Route } from '../lib/outbound.ts'
import { createConfiguredKey } from './configured-key.ts'
import type { Issuer } from './issuer.ts'
import { createKeyPool } from './key-server.ts'
import type { KeyFetch } from './key-set.ts'
import { isFetched } from './key-source.ts'
import { createRemoteKeySet } from './remote-keys.ts'
import type { TrustedIssuer, TrustedKeys } from './trusted-issuer.ts'

/** How often key sets are asked whether it is time to fetch them. */
const TEND_MS = 1000

/** Every configured issuer with its keys, and the fetching of those that are published. */
export type TrustedIssuers = Readonly<{
  issuers: readonly TrustedIssuer[]
  /** Whether any issuer has keys: one whose key server is down must not take the callers of the others down with it. */
  usable: () => boolean
  /** Age of each key set. */
  ages: () => readonly Readonly<{ issuer: string; seconds: number | undefined }>[]
  /** Fetches every key set now. */
  refresh: () => Promise<void>
  /** Begins to fetch. Awaits nothing: a key server that hangs must not keep the others waiting. */
  start: () => void
  /** Ends the fetching; `disconnect` closes the connections, after the last token is verified. */
  stop: () => void
  disconnect: () => Promise<void>
}>

type Dependencies = Readonly<{
  route: Route
  clock: Pick<Clock, 'every' | 'monotonic'>
  sandbox: boolean
  /** Reports the fetches of one issuer. */
  report: (issuer: string) => (fetch: KeyFetch) => void
  /** Makes the connections to the key server of one issuer. */
  keyPool?: typeof createKeyPool | undefined
}>

export function createTrustedIssuers(
  configured: readonly Issuer[],
  { route, clock, sandbox, report, keyPool = createKeyPool }: Dependencies,
): TrustedIssuers {
  const pools: Pool[] = []
  const issuers = configured.map((issuer) => {
    const onFetch = report(issuer.name)
    const keys = issuer.keys.map((source): TrustedKeys => {
      const { origin } = source
      if (!isFetched(origin)) return { source, key: createConfiguredKey(source, { sandbox }) }
      const pool = keyPool(origin, route)
      pools.push(pool)
      return { source, keySet: createRemoteKeySet(origin, { pool, sandbox, onFetch, now: clock.monotonic }) }
    })
    return { issuer, keys }
  })
  const keySets = issuers.flatMap(({ issuer: { name }, keys }) =>
    keys.flatMap(({ keySet }) => (keySet ? [{ issuer: name, keySet }] : [])),
  )
  const tend = () => {
    for (const { keySet } of keySets) keySet.tend()
  }
  let stop = () => {}

  return {
    issuers,
    usable: () => issuers.some(({ keys }) => keys.some(({ keySet }) => !keySet || keySet.usable())),
    ages: () => keySets.map(({ issuer, keySet }) => ({ issuer, seconds: keySet.ageSeconds() })),
    refresh: async () => void (await Promise.all(keySets.map(({ keySet }) => keySet.refresh()))),
    start() {
      tend()
      // Not by tokens alone: a key that is revoked in a quiet hour must not open for the first caller after it.
      if (keySets.length > 0) stop = clock.every(TEND_MS, tend)
    },
    stop: () => stop(),
    disconnect: async () => void (await Promise.all(pools.map((pool) => pool.close()))),
  }
}
