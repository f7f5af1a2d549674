/** How callers arrive during a day; see `pattern.ts`. */
export const PATTERNS = ['flat', 'daily', 'morning', 'push', 'outage'] as const
export type Pattern = (typeof PATTERNS)[number]

/** `sessions`: each caller has a session. `signed-urls`: each template has a session, with which the service signs. */
export const MODES = ['sessions', 'signed-urls'] as const
export type Mode = (typeof MODES)[number]

/** The service gives no session with less left, because AWS SDKs would ask again on each call. */
export const MIN_VALIDITY_SECONDS = 900

/** Share of a session's life after which the next request refreshes it in the background. */
export const REFRESH_AHEAD = 0.5

/** Input of a simulation. Times are in seconds, rates in events a second, sizes in bytes. */
export type Scenario = Readonly<{
  users: number
  pattern: Pattern
  /** How often a user opens the app in a day. */
  opensPerDay: number
  /** Mean time that a user stays in the app. */
  useSeconds: number
  /** Mean time between two requests for credentials while the app is open. Opening the app is a request too. */
  askSeconds: number
  mode: Mode
  /** Mean time between two requests for a signed URL while the app is open. */
  signSeconds: number
  templates: number
  /** 3600 to 43200. */
  sessionSeconds: number
  /** AssumeRole calls a second that STS allows one account. */
  quotaPerSecond: number
  /** Accounts (or roles, if STS has a quota for each role) over which the load is spread. */
  accounts: number
  /** The service refuses a caller at once who would wait longer for STS. */
  queueSeconds: number
  /** Mean wait of a refused app before it tries again. */
  retryAfterSeconds: number
  /** Attempts in all. After the last one, the app waits until its next request. */
  attempts: number
  /** Duration of one AssumeRole call. */
  stsSeconds: number
  replicas: number
  /** Whether replicas share Redis. Without it, each replica needs its own session for a caller. */
  sharedCache: boolean
  /** Assumptions, until you put in what the benchmarks measure. */
  costs: Costs
  seed: number
}>

/** Resources of a replica, and what a vend costs. */
export type Costs = Readonly<{
  coresPerReplica: number
  /** Vends from the cache that one core serves in a second. */
  vendsPerCore: number
  /** Signed URLs that one core makes in a second. */
  signaturesPerCore: number
  bytesPerSession: number
  /** Memory for cached sessions. */
  bytesPerReplica: number
  bytesOfSharedCache: number
  bytesPerAnswer: number
  networkBytesPerSecond: number
}>

/** A typical app on one account. The costs are assumed, not measured. */
export const DEFAULTS: Scenario = {
  users: 1_000_000,
  pattern: 'daily',
  opensPerDay: 4,
  useSeconds: 600,
  askSeconds: 300,
  mode: 'sessions',
  signSeconds: 30,
  templates: 4,
  sessionSeconds: 3600,
  quotaPerSecond: 100,
  accounts: 1,
  queueSeconds: 5,
  retryAfterSeconds: 5,
  attempts: 3,
  stsSeconds: 0.05,
  replicas: 3,
  sharedCache: true,
  costs: {
    coresPerReplica: 1,
    vendsPerCore: 5000,
    signaturesPerCore: 3000,
    bytesPerSession: 1500,
    bytesPerReplica: 1_000_000_000,
    bytesOfSharedCache: 16_000_000_000,
    bytesPerAnswer: 2500,
    networkBytesPerSecond: 125_000_000,
  },
  seed: 1,
}

/** Number of independent caches. A caller may need a session in each of them. */
export const cachesOf = ({ sharedCache, replicas }: Scenario): number => (sharedCache ? 1 : replicas)

/** AssumeRole calls a second of all accounts. */
export const quotaOf = ({ quotaPerSecond, accounts }: Scenario): number => quotaPerSecond * accounts
