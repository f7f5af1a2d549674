import { z } from 'zod'
import { VendError } from '../src/errors.ts'
import type { App } from '../src/http/fastify.ts'
import { problemResponses } from '../src/http/problem.ts'
import type { Services } from './services.ts'

const statusOf = (status: 'live' | 'ready', more: z.ZodRawShape = {}) => ({
  description: status,
  content: { 'application/json': { schema: z.strictObject({ status: z.literal(status), ...more }) } },
})

const diagnosis = z.strictObject({ clockOffsetSeconds: z.int(), hint: z.string().optional() })

/** For the operator alone: the clock of the STS of each target. */
type Diagnosis = Readonly<{ sts: Record<string, z.infer<typeof diagnosis>> }>

/**
 * `GET /livez` is for the process's supervisor, `GET /readyz` for the load balancer. Neither depends on STS: a restart
 * would not repair STS, and another replica could not reach it either. `diagnose` is for the ops listener alone.
 */
export function healthRoutes(
  app: App,
  { ready }: Pick<Services, 'ready'>,
  diagnose?: () => Diagnosis | undefined,
): void {
  app.route({
    method: 'GET',
    url: '/livez',
    schema: {
      operationId: 'live',
      summary: 'Is the process alive?',
      tags: ['health'],
      security: [],
      response: { 200: statusOf('live') },
    },
    // Probes are frequent, and must not stop when their address reaches its limit.
    config: { rateLimit: false },
    logLevel: 'warn',
    handler: async () => ({ status: 'live' as const }),
  })
  app.route({
    method: 'GET',
    url: '/readyz',
    schema: {
      operationId: 'ready',
      summary: 'Is the service ready for traffic?',
      tags: ['health'],
      security: [],
      response: {
        200: statusOf('ready', diagnose && { sts: z.record(z.string(), diagnosis).optional() }),
        ...problemResponses('not_ready'),
      },
    },
    config: { rateLimit: false },
    logLevel: 'warn',
    handler: async () => {
      if (!ready()) throw new VendError('not_ready')
      return { status: 'ready' as const, ...diagnose?.() }
    },
  })
}
