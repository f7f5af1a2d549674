import type { Registry } from 'prom-client'
import type { App } from '../src/http/fastify.ts'

/**
 * `GET /metrics` in Prometheus' text format. Only the ops listener has it, because it shows the load of the service.
 */
export function metricsRoutes(app: App, registry: Registry): void {
  app.route({
    method: 'GET',
    url: '/metrics',
    schema: { hide: true },
    logLevel: 'warn',
    handler: async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()),
  })
}
