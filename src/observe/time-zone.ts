import type { FastifyBaseLogger } from 'fastify'
import type { ZoneReport } from '../sts/expiration.ts'

/** Logs what the service learns about the time zone of STS's expirations. */
export function reportZone(logger: Pick<FastifyBaseLogger, 'info' | 'warn'>): ZoneReport {
  return (event, zone) => {
    if (event === 'learned') logger.info({ zone }, "STS's time zone is known")
    else logger.warn({ zone }, 'an expiration of STS fits no time zone that is known: told as early as it may be')
  }
}
