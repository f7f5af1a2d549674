import type { Clock } from '../lib/clock.ts'
import type { RedisLink } from '../lib/redis-link.ts'

/** Where a grant's session and lease are in Redis; the braces keep both on one node of a cluster. */
export const redisNames = (name: string) => ({
  session: `oss-vend:{${name}}:session`,
  lease: `oss-vend:{${name}}:lease`,
})

export type RedisNames = ReturnType<typeof redisNames>

/** A session as Redis has it: sealed, and for how many milliseconds it still keeps it. */
export type Sealed = Readonly<{ sealed: Buffer; ttlMs: number }>

/** The right to ask STS for one grant while other replicas wait for the outcome. Nothing here fails. */
export type Lease = Readonly<{
  /** Puts the session where the others look, and ends the lease. */
  share(session: Sealed): Promise<void>
  /** Ends the lease without a session: one of the others may try. */
  release(): Promise<void>
}>

/**
 * For so long a replica that died with a lease keeps the others waiting. A live one renews it in time, also where a crowd
 * of callers holds its event loop up for most of a second.
 */
const LEASE_MS = 1000
const RENEW_MS = 200
/** A replica that is slow in coming round to renew takes a lease of so many rounds, which still has an end. */
const ROUNDS = 4
export const MAX_LEASE_MS = 4000

/** The length of a lease for a replica that was late by this much. */
export const leaseFor = (lateMs: number) => Math.round(Math.min(Math.max(LEASE_MS, ROUNDS * lateMs), MAX_LEASE_MS))

// `pcall`: a lease of another type is somebody else's, and no reason to leave Redis alone.
const RENEW = `if redis.pcall('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`
const RELEASE = `if redis.pcall('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`
const SHARE = `
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if redis.pcall('GET', KEYS[2]) == ARGV[1] then return redis.call('DEL', KEYS[2]) end
return 0
`

/** Keeps a lease that was taken under this token, which tells it from one that another replica took after it ran out. */
export function holdLease(
  link: RedisLink,
  clock: Pick<Clock, 'every' | 'monotonic'>,
  names: RedisNames,
  token: string,
): Lease {
  let renewedAt = clock.monotonic()
  const stop = clock.every(RENEW_MS, () => {
    const now = clock.monotonic()
    const leaseMs = leaseFor(now - renewedAt)
    renewedAt = now
    void link.ask('write', (redis) => redis.eval(RENEW, 1, names.lease, token, leaseMs))
  })
  return {
    async share({ sealed, ttlMs }) {
      stop()
      await link.ask('write', (redis) => redis.eval(SHARE, 2, names.session, names.lease, token, sealed, ttlMs))
    },
    async release() {
      stop()
      await link.ask('write', (redis) => redis.eval(RELEASE, 1, names.lease, token))
    },
  }
}

/** For a replica that goes on alone: there is nothing to hold, but others may find the session. */
export function noLease(link: RedisLink, { session }: RedisNames): Lease {
  return {
    async share({ sealed, ttlMs }) {
      await link.ask('write', (redis) => redis.set(session, sealed, 'PX', ttlMs))
    },
    release: async () => {},
  }
}
