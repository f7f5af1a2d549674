import { Counter, type Registry } from 'prom-client'
import type { CountSecret } from '../reload/keys.ts'

/** Counts what becomes of secrets whose files change. */
export function countSecrets(registry: Registry): CountSecret {
  const reloads = new Counter({
    name: 'oss_vend_secret_reloads_total',
    help: 'Changes of secrets in files, by what became of them; keys of STS also by their target.',
    labelNames: ['secret', 'target', 'result'],
    registers: [registry],
  })
  return ({ secret, target }, result) => reloads.inc({ secret, ...(target !== undefined && { target }), result })
}
