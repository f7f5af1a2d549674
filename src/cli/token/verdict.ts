import Fastify from 'fastify'
import type { TokenConfig } from '../../config/token-config.ts'
import { VendError } from '../../errors.ts'
import { ALGORITHMS } from '../../identity/algorithms.ts'
import { registerIdentity } from '../../identity/authenticate.ts'
import type { Caller } from '../../identity/caller.ts'
import { createConfiguredKey } from '../../identity/configured-key.ts'
import { createKeyPool, KeyServerError } from '../../identity/key-server.ts'
import { createKeySet, type KeyFetch } from '../../identity/key-set.ts'
import { type FetchedOrigin, isFetched } from '../../identity/key-source.ts'
import { isReason, type Reason } from '../../identity/refusals.ts'
import { createRemoteKeySet } from '../../identity/remote-keys.ts'
import type { TrustedIssuer, TrustedKeys } from '../../identity/trusted-issuer.ts'
import { createRoute, type Pool } from '../../lib/outbound.ts'

/** The answer that the service would give to a token. A reason without a status other than 401 is a refusal of the token. */
export type Verdict =
  | Readonly<{ accepted: true; caller: Caller }>
  | Readonly<{ accepted: false; reason: Reason; status: number }>

/** The service's own judgement, with keys of its own. */
export type Service = Readonly<{
  judgement: (token: string) => Promise<Verdict>
  /** How the last fetch of a key set ended; undefined when there was none. */
  lastFetch: () => KeyFetch | undefined
  /** The algorithms for which the issuer's keys have this `kid`. */
  algorithmsOfKid: (keys: TrustedKeys, kid: string | undefined) => Promise<readonly string[]>
  issuers: readonly TrustedIssuer[]
  close: () => Promise<void>
}>

type Options = Readonly<{
  now: () => number
  /** Otherwise key sets are not fetched, as if no key server answered. */
  fetch: boolean
  /** Called before each fetch. */
  onFetching: (issuer: string, origin: FetchedOrigin) => void
  sandbox?: boolean
}>

/** The result of a fetch that did not take place. */
export const NOT_FETCHED = 'not_fetched'

/** Judges with the function of the service itself, so that this can never say anything else than the service does. */
export async function createService(config: TokenConfig, options: Options): Promise<Service> {
  const { now, sandbox = false } = options
  const pools: Pool[] = []
  let last: KeyFetch | undefined
  const onFetch = (fetch: KeyFetch) => {
    last = fetch
  }
  const issuers = config.issuers.map((issuer): TrustedIssuer => {
    const keys = issuer.keys.map((source): TrustedKeys => {
      const { origin } = source
      if (!isFetched(origin)) return { source, key: createConfiguredKey(source, { sandbox }) }
      const { maxAgeSeconds } = origin
      if (!options.fetch) {
        const fetchKeys = () => Promise.reject(new KeyServerError(NOT_FETCHED))
        return { source, keySet: createKeySet({ fetchKeys, maxAgeMs: maxAgeSeconds * 1000, onFetch }) }
      }
      const pool = createKeyPool(origin, createRoute(config.outbound))
      pools.push(pool)
      const keySet = createRemoteKeySet(origin, { pool, sandbox, onFetch })
      const announced: typeof keySet = {
        ...keySet,
        find(hint) {
          if (last === undefined) options.onFetching(issuer.name, origin)
          return keySet.find(hint)
        },
      }
      return { source, keySet: announced }
    })
    return { issuer, keys }
  })

  const app = Fastify()
  const authenticate = await registerIdentity(app, issuers, { now, maxTokenBytes: config.maxTokenBytes })
  // The token goes past HTTP: this server does not listen, and its one route exists to make a request.
  let token = ''
  let verdict: Verdict | undefined
  app.get('/', async (request) => {
    verdict = await authenticate(request, token).then(
      (caller): Verdict => ({ accepted: true, caller }),
      (error: unknown) => refusalOf(error),
    )
    return ''
  })
  return {
    issuers,
    lastFetch: () => last,
    async judgement(given) {
      token = given
      verdict = undefined
      await app.inject('/')
      if (!verdict) throw new Error('the token could not be judged')
      return verdict
    },
    async algorithmsOfKid({ key, keySet }, kid) {
      // All at once, so that they share one fetch.
      const found = await Promise.all(
        ALGORITHMS.map(async (alg) => {
          const pem = key ? key.find({ alg, kid }) : await keySet?.find({ alg, kid }).catch(() => undefined)
          return pem === undefined ? [] : [alg]
        }),
      )
      return found.flat()
    },
    async close() {
      await app.close()
      await Promise.all(pools.map((pool) => pool.close()))
    },
  }
}

/** @throws whatever is not the service's word about a token */
function refusalOf(error: unknown): Verdict {
  const reason = error instanceof VendError ? error.log?.reason : undefined
  if (!(error instanceof VendError) || !isReason(reason)) throw error
  return { accepted: false, reason, status: error.status }
}
