import type { App } from '../src/http/fastify.ts'

/**
 * `GET /metrics` in Prometheus' text format. Only the ops listener has it, because it shows the load of the service.
 */
export function metricsRoutes(
  app: App,
  metrics: Readonly<{ contentType: string; metrics: () => Promise<string> }>,
): void {
  app.route({
    method: 'GET',
    url: '/metrics',
    schema: { hide: true },
    logLevel: 'warn',
    handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  })
}
