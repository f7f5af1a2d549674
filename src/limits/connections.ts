import { Counter, type Registry } from 'prom-client'
import type { App } from '../../routes/services.ts'

/** Holds at most so many connections; one more is closed before a byte of it is read. */
export function limitConnections(app: App, maxConnections: number, metrics: Registry): void {
  const refused = new Counter({
    name: 'oss_vend_connections_refused_total',
    help: 'Connections closed because there were MAX_CONNECTIONS already.',
    registers: [metrics],
  })
  app.server.maxConnections = maxConnections
  app.server.on('drop', () => refused.inc())
}
