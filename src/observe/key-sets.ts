import type { FastifyBaseLogger } from 'fastify'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { KeyFetch } from '../identity/key-set.ts'

/** The log shows at most this many entries of one set. */
const MAX_TOLD = 20

type Dependencies = Readonly<{
  logger: FastifyBaseLogger
  metrics: Registry
  /** Age of the key set of each issuer that has one. */
  ages: () => readonly Readonly<{ issuer: string; seconds: number | undefined }>[]
}>

/**
 * Reports key sets in log and metrics. Each fetch is counted; a log line appears only when something changes, so a key
 * server that is down for a day does not fill the disk. Returns a function that makes a reporter for one issuer.
 */
export function reportKeySets({ logger, metrics, ages }: Dependencies): (issuer: string) => (fetch: KeyFetch) => void {
  const registers = [metrics]
  const fetches = new Counter({
    name: 'oss_vend_key_set_fetches_total',
    help: "Fetches of issuers' key sets, by how they ended.",
    labelNames: ['issuer', 'result'],
    registers,
  })
  new Gauge({
    name: 'oss_vend_key_set_age_seconds',
    help: 'How long ago the key set in use was fetched; absent until there is one.',
    labelNames: ['issuer'],
    registers,
    collect() {
      this.reset()
      for (const { issuer, seconds } of ages()) if (seconds !== undefined) this.set({ issuer }, seconds)
    },
  })

  return (issuer) => {
    let knownFailure: string | undefined
    let knownEntries = '[]'
    let knownUsable = true
    return ({ result, usable, keys, dropped, lacking, error }) => {
      // A key server chooses its status, and Prometheus keeps each label value for ever.
      fetches.inc({ issuer, result: result.replace(/^(http_\d).*$/u, '$1xx') })
      if (result !== 'ok') {
        const failure = `${result} ${usable}`
        if (failure === knownFailure) return
        knownFailure = failure
        if (usable) logger.warn({ issuer, result, error }, 'keys could not be fetched')
        else logger.error({ issuer, result, error }, 'keys could not be fetched, and there are none to use')
        return
      }
      if (knownFailure !== undefined) logger.info({ issuer, keys }, 'keys are fetched again')
      knownFailure = undefined
      if (lacking > 0) logger.warn({ issuer, keys, lacking }, 'the key set lacks keys: it is fetched again to be sure')
      const entries = JSON.stringify(dropped)
      if (entries !== knownEntries) {
        for (const { index, kid, reason } of dropped.slice(0, MAX_TOLD)) {
          logger.warn({ issuer, entry: index, kid, reason }, 'an entry of the key set is not used')
        }
      }
      knownEntries = entries
      if (!usable && knownUsable) logger.error({ issuer }, 'the key set has no key that can be used')
      knownUsable = usable
    }
  }
}
