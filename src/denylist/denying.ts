import type { Config } from '../config/config.ts'
import type { Denial } from '../config/deny-file.ts'
import type { VerifiedTokens } from '../identity/verified-tokens.ts'
import type { Clock } from '../lib/clock.ts'
import { watchDenyFile } from '../reload/deny-file.ts'
import type { Reloader } from '../reload/reloads.ts'
import type { SharedRedis } from '../sessions/shared-redis.ts'
import { createDenylist, type Denylist, type DenySource, type Known } from './denylist.ts'
import { followList } from './follow-list.ts'
import { recordKey } from './record.ts'
import { createRefusing, type Refusing } from './refuse.ts'
import type { DenyReport } from './report.ts'
import { createSharedList } from './shared-list.ts'

/** How often each replica looks whether the shared list has changed. It bounds when a change is in force everywhere. */
export const LOOK_MS = 250
/** A start waits this long for the first look: a Redis that is down must not stop the start. */
const START_MS = 500
/** No session is longer: entries that the file lifted earlier can be forgotten. */
const LONGEST_SESSION_MS = 43_200_000

type Dependencies = Readonly<{
  /** Told of what happens; it asks how many entries are in force. */
  report: (size: Denylist['size']) => DenyReport
  clock: Pick<Clock, 'monotonic' | 'after' | 'every'>
  /** Epoch milliseconds. */
  now: () => number
  verifiedTokens: Pick<VerifiedTokens, 'delete' | 'forget'> | undefined
  /** The Redis of the replicas. */
  shared: SharedRedis['shared']
}>

/** The denylist of a running service: it refuses callers, and learns of changes. */
export type Denying = Refusing &
  Readonly<{
    reload: Reloader
    /** Reads the shared list once, if Redis answers, and follows it from then on. */
    start(): Promise<void>
    close(): void
  }>

export function createDenying(
  { denyFile, issuers }: Pick<Config, 'denyFile' | 'issuers'>,
  { clock, now, verifiedTokens, shared, ...dependencies }: Dependencies,
): Denying {
  const { monotonic } = clock
  const denylist = createDenylist({ now, monotonic })
  const report = dependencies.report(denylist.size)
  const issuerNames = issuers.map(({ name }) => name)

  function replace(source: DenySource, known: readonly Known[]): void {
    denylist.replace(source, known)
    verifiedTokens?.forget((caller) => denylist.find(caller) !== undefined)
    const denials = known.filter(({ liftedAt }) => liftedAt === undefined).map(({ denial }) => denial)
    report.changed(source, denials, denials.filter(({ issuer }) => !issuerNames.includes(issuer)).length)
  }

  /** With the entries that it had before: their callers need new sessions. */
  let inFile: readonly Known[] = []
  function takeFile(denials: readonly Denial[]): void {
    const kept = new Set(denials.map(recordKey))
    const lifted = inFile
      .filter(({ denial }) => !kept.has(recordKey(denial)))
      .map(({ denial, liftedAt = monotonic() }) => ({ denial, liftedAt }))
      .filter(({ liftedAt }) => liftedAt > monotonic() - LONGEST_SESSION_MS)
    inFile = [...denials.map((denial) => ({ denial })), ...lifted]
    replace('file', inFile)
  }
  if (denyFile) takeFile(denyFile.denials)
  const file = denyFile && watchDenyFile(denyFile, { issuerNames, report, take: takeFile })

  const list = shared && createSharedList(shared.redis, shared.seal)
  const follower =
    list &&
    followList(list, {
      monotonic,
      take: (records, at) =>
        replace(
          'redis',
          [...records.values()].map(({ denied, at: said, ...denial }) => ({
            denial,
            // Redis' clock shows whole milliseconds.
            ...(!denied && { liftedAt: at.monotonic - Math.max(0, at.redis - said - 1) }),
          })),
        ),
      looked: (fault) => (fault === undefined ? report.good('redis') : report.stale('redis', fault)),
      implausible: () => shared?.link.implausible('denylist'),
    })

  let stop = () => {}
  return {
    ...createRefusing({ denylist, report, verifiedTokens, monotonic }),
    async reload(why) {
      await Promise.all([file?.(why), why === 'asked' ? follower?.look() : undefined])
    },
    async start() {
      if (!follower) return
      await within(follower.look(), START_MS, clock)
      stop = clock.every(LOOK_MS, follower.look)
    },
    close: () => stop(),
  }
}

async function within(promise: Promise<void>, ms: number, { after }: Pick<Clock, 'after'>): Promise<void> {
  let cancel = () => {}
  const late = new Promise<void>((resolve) => {
    cancel = after(ms, resolve)
  })
  await Promise.race([promise, late])
  cancel()
}
