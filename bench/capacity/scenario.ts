/** How callers arrive over a day; see `pattern.ts`. */
export const PATTERNS = ['flat', 'daily', 'morning', 'push', 'outage'] as const
export type Pattern = (typeof PATTERNS)[number]

/** `sessions`: a session for each caller. `signed-urls`: one for each template, with which the service signs. */
export const MODES = ['sessions', 'signed-urls'] as const
export type Mode = (typeof MODES)[number]

/** Below this a session is never handed out: AWS SDKs would come back on every call. */
export const MIN_VALIDITY_SECONDS = 900

/** The part of a session after which the next ask for it renews it in the background. */
export const REFRESH_AHEAD = 0.5

/** What the simulation is told. Times in seconds, rates a second, sizes in bytes. */
export type Scenario = Readonly<{
  users: number
  pattern: Pattern
  /** How often a user opens the app in a day. */
  opensPerDay: number
  /** Mean length of a use. */
  useSeconds: number
  /** In use, an app asks for credentials once in so long, besides when it opens. */
  askSeconds: number
  mode: Mode
  /** In use, an app asks for a signed URL once in so long. */
  signSeconds: number
  templates: number
  /** 3600 to 43200. */
  sessionSeconds: number
  /** AssumeRole calls a second that STS allows one account. */
  quotaPerSecond: number
  /** Accounts (or roles, where STS counts by role) that the load is spread over. */
  accounts: number
  /** Who would wait longer for a turn at STS is refused at once. */
  queueSeconds: number
  /** Mean wait of a refused app before it tries again. */
  retryAfterSeconds: number
  /** Tries in all; then the app leaves it until it asks the next time. */
  attempts: number
  /** How long one AssumeRole takes. */
  stsSeconds: number
  replicas: number
  /** Redis between the replicas; without it each needs a session of its own for a caller. */
  sharedCache: boolean
  /** Assumptions until the benchmarks have measured them. */
  costs: Costs
  seed: number
}>

/** What a replica has and what a vend takes of it. */
export type Costs = Readonly<{
  coresPerReplica: number
  /** Vends out of the cache that one core answers a second. */
  vendsPerCore: number
  /** Signed URLs that one core answers a second. */
  signaturesPerCore: number
  bytesPerSession: number
  /** Memory for cached sessions. */
  bytesPerReplica: number
  bytesOfSharedCache: number
  bytesPerAnswer: number
  networkBytesPerSecond: number
}>

/** A common app on one account; the costs are assumed, not measured. */
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

/** Caches that know nothing of each other: a caller may need a session in every one. */
export const cachesOf = ({ sharedCache, replicas }: Scenario): number => (sharedCache ? 1 : replicas)

/** AssumeRole calls a second over all accounts. */
export const quotaOf = ({ quotaPerSecond, accounts }: Scenario): number => quotaPerSecond * accounts
