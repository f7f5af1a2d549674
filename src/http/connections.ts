import type { App } from './fastify.ts'
import type { HttpMetrics } from './http-metrics.ts'

/** Caps the connections that are held. One more is closed before a byte of it is read. */
export function limitConnections(
  app: App,
  maxConnections: number,
  metrics: Pick<HttpMetrics, 'connectionRefused'>,
): void {
  app.server.maxConnections = maxConnections
  app.server.on('drop', metrics.connectionRefused)
}
