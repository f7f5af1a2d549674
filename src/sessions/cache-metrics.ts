import { Counter, Gauge, type Registry } from 'prom-client'
import type { SessionStore } from './session-store.ts'

/** Metrics of the in-memory cache. */
export type CacheMetrics = Readonly<{
  /** How a vend met the cache: a session was there, a call for it was under way, or one had to be begun. */
  count(meeting: 'hit' | 'joined' | 'miss'): void
  refreshed(result: 'ok' | 'postponed' | 'failed'): void
}>

export function createCacheMetrics(registry: Registry, size: SessionStore['size']): CacheMetrics {
  const registers = [registry]
  const lookups = new Counter({
    name: 'oss_vend_cache_lookups_total',
    help: 'Looks into the cache: hit, joined a call that was under way, or miss.',
    labelNames: ['result'],
    registers,
  })
  new Gauge({
    name: 'oss_vend_cache_entries',
    help: 'Sessions held in memory.',
    registers,
    collect() {
      this.set(size().entries)
    },
  })
  new Gauge({
    name: 'oss_vend_cache_bytes',
    help: 'About what they take.',
    registers,
    collect() {
      this.set(size().bytes)
    },
  })
  const refreshes = new Counter({
    name: 'oss_vend_cache_refreshes_total',
    help: 'Sessions renewed ahead: ok, postponed because STS was busy or another replica was at it, failed.',
    labelNames: ['result'],
    registers,
  })
  return {
    count: (result) => lookups.inc({ result }),
    refreshed: (result) => refreshes.inc({ result }),
  }
}
