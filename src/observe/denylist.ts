import type { FastifyBaseLogger } from 'fastify'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Denial } from '../config/deny-file.ts'
import type { DenySource } from '../denylist/denylist.ts'
import type { DenyReport } from '../denylist/report.ts'

type Dependencies = Readonly<{
  logger: Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>
  metrics: Registry
  /** Entries in force. */
  size: (source: DenySource) => number
}>

/** The log shows at most this many faults of one file. */
const MAX_TOLD = 20
const STALE = 'the denylist is out of date: its old entries stay in force'
const IDLE = 'entries of the denylist name no issuer that is configured: they refuse nobody'

/** Reports the denylist in log and metrics. */
export function reportDenylist({ logger, metrics, size }: Dependencies): DenyReport {
  const registers = [metrics]
  const denied = new Counter({
    name: 'oss_vend_denied_total',
    help: 'Requests refused because of an entry of the denylist.',
    labelNames: ['by'],
    registers,
  })
  new Gauge({
    name: 'oss_vend_deny_entries',
    help: 'Entries of the denylist that are in force, by where they are from.',
    labelNames: ['source'],
    registers,
    collect() {
      for (const source of ['file', 'redis'] as const) this.set({ source }, size(source))
    },
  })
  const stale = new Gauge({
    name: 'oss_vend_deny_stale',
    help: '1 while the file of the denylist is refused, or the shared list cannot be read.',
    registers,
  })
  for (const by of ['subject', 'issuer', 'token'] as const) denied.inc({ by }, 0)
  stale.set(0)
  const told = new Map<DenySource, string>()

  return {
    denied: (by) => denied.inc({ by }),
    changed(source, denials, idle) {
      const count = (by: Denial['by']) => denials.filter((denial) => denial.by === by).length
      const counts = { subjects: count('subject'), issuers: count('issuer'), tokenIds: count('token') }
      logger.info({ source, ...counts }, 'the denylist has changed')
      if (idle > 0) logger.warn({ source, entries: idle }, IDLE)
    },
    stale(source, faults) {
      stale.set(1)
      const why =
        typeof faults === 'string'
          ? { reason: faults }
          : { faults: faults.slice(0, MAX_TOLD).map(({ at, rule, remedy }) => `DENY_FILE${at}: ${rule} (${remedy})`) }
      const text = JSON.stringify(why)
      if (told.get(source) !== text) logger.error({ source, ...why }, STALE)
      told.set(source, text)
    },
    good(source) {
      if (told.delete(source)) logger.info({ source }, 'the denylist is up to date again')
      stale.set(told.size > 0 ? 1 : 0)
    },
  }
}
