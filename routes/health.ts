import { z } from 'zod'
import { VendError } from '../src/errors.ts'
import type { App } from '../src/http/fastify.ts'
import { problemResponses } from '../src/http/problem.ts'
import type { Services } from './services.ts'

const statusOf = (status: 'live' | 'ready', more: z.ZodRawShape = {}) => ({
  description: `The ${status === 'live' ? 'process works' : 'service takes requests'}.`,
  content: {
    'application/json': {
      schema: z
        .strictObject({ status: z.literal(status).describe('Always the same: the HTTP status tells.'), ...more })
        .meta({ title: status === 'live' ? 'Live' : 'Ready', examples: [{ status }] }),
    },
  },
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
      summary: 'Tell whether the process works',
      description: 'For the supervisor of the process. It depends on nothing outside, and has no rate limit.',
      tags: ['health'],
      security: [],
      response: { 200: statusOf('live'), ...problemResponses('invalid_request', 'internal_error') },
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
      summary: 'Tell whether the service takes requests',
      description:
        'For the load balancer. It answers 503 while no issuer has usable keys, during overload, and after SIGTERM. It does not depend on STS, and has no rate limit.',
      tags: ['health'],
      security: [],
      response: {
        200: statusOf('ready', diagnose && { sts: z.record(z.string(), diagnosis).optional() }),
        ...problemResponses('invalid_request', 'internal_error', 'not_ready'),
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
