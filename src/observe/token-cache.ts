import { Counter, Gauge, type Registry } from 'prom-client'

/** Counts how often a token was found among the verified ones, and shows how many of those are remembered. */
export function countTokenCache(metrics: Registry, size: () => number): (result: 'hit' | 'miss') => void {
  const lookups = new Counter({
    name: 'oss_vend_token_cache_lookups_total',
    help: 'Tokens looked up among those that were verified before.',
    labelNames: ['result'],
    registers: [metrics],
  })
  new Gauge({
    name: 'oss_vend_token_cache_entries',
    help: 'Verified tokens that are remembered.',
    registers: [metrics],
    collect() {
      this.set(size())
    },
  })
  return (result) => lookups.inc({ result })
}
