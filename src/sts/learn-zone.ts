import type { FastifyBaseLogger } from 'fastify'
import { VendError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { AssumeRoleRequest } from './credentials.ts'
import type { JdcloudSts } from './jdcloud.ts'

type Dependencies = Readonly<{
  /** A short session, which tells the zone of its expiration. */
  probe: AssumeRoleRequest
  clock: Clock
  /** From 0 to 1. */
  random: () => number
  logger: Pick<FastifyBaseLogger, 'warn'>
}>

const FIRST_PAUSE_MS = 1000
const LAST_PAUSE_MS = 300_000

/**
 * Finds out the time zone that STS writes, so that the first caller who wants a session over eight hours can have it. Tries
 * in the background, ever more seldom, until a probe or a vend has told it: a start does not wait for STS.
 *
 * @returns what ends it
 */
export function learnZone(
  sts: Pick<JdcloudSts, 'assumeRole' | 'zone'>,
  { probe, clock, random, logger }: Dependencies,
): () => void {
  const controller = new AbortController()
  let cancel = () => {}

  async function attempt(pauseMs: number): Promise<void> {
    if (sts.zone()) return
    const error = await sts.assumeRole(probe, { signal: controller.signal }).catch((error: unknown) => error)
    if (sts.zone() || controller.signal.aborted) return
    if (pauseMs === FIRST_PAUSE_MS) {
      const why = error instanceof VendError ? { code: error.code, ...error.log } : {}
      logger.warn(why, "STS's time zone is not known yet: until it is, no session is over 7 h 44 min")
    }
    cancel = clock.after(pauseMs * (0.5 + random() / 2), () => void attempt(Math.min(2 * pauseMs, LAST_PAUSE_MS)))
  }

  void attempt(FIRST_PAUSE_MS)
  return () => {
    controller.abort()
    cancel()
  }
}
