import type { Registry } from 'prom-client'
import type { App } from '../src/http/fastify.ts'

/** `GET /metrics` in Prometheus' text format. For the ops listener alone: it says how busy the service is. */
export function metricsRoutes(app: App, registry: Registry): void {
  app.route({
    method: 'GET',
    url: '/metrics',
    schema: { hide: true },
    logLevel: 'warn',
    handler: async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()),
  })
}
