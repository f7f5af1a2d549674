import { Counter, type Registry } from 'prom-client'
import type { App } from './fastify.ts'
import type { Cut } from './turns.ts'

/** Caps the connections that are held. One more is closed before a byte of it is read. */
export function limitConnections(app: App, maxConnections: number, metrics: Registry): void {
  const refused = new Counter({
    name: 'oss_vend_connections_refused_total',
    help: 'Connections closed because there were MAX_CONNECTIONS already.',
    registers: [metrics],
  })
  app.server.maxConnections = maxConnections
  app.server.on('drop', () => refused.inc())
}

/** Counts connections that are closed before their time. */
export function countCuts(metrics: Registry): (cut: Cut) => void {
  const cuts = new Counter({
    name: 'oss_vend_connections_cut_total',
    help: 'Connections closed because their client sent requests too far ahead, or did not read the answer.',
    labelNames: ['reason'],
    registers: [metrics],
  })
  return (reason) => cuts.inc({ reason })
}
