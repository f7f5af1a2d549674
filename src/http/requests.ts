import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from './fastify.ts'
import type { HttpMetrics } from './http-metrics.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether it counts as a vend that is under way. */
    vend: 'running' | 'over' | undefined
  }
}

/** A client that left before its answer: nginx's word for it. */
const CLIENT_LEFT = 499
/** Node's parser knows many more, and a client chooses. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'OPTIONS'])

/** A request by its method and the pattern of its route, none of them as its client wrote it. */
export const labelsOf = ({ method, is404, routeOptions }: FastifyRequest) => ({
  method: METHODS.has(method) ? method : 'other',
  route: is404 ? 'unknown' : (routeOptions.url ?? 'unknown'),
})

/** The status of an answer that is sent, or never will be. */
export const statusOf = ({ raw }: FastifyReply): number => (raw.headersSent ? raw.statusCode : CLIENT_LEFT)

type Dependencies = Readonly<{
  metrics: Pick<HttpMetrics, 'answered' | 'vended' | 'vendsRunning'>
  /** Whether a template of this name is loaded. */
  isPolicy: (name: string) => boolean
}>

/**
 * Counts requests and vends. Prometheus keeps each value of a label for ever, so none is a text that a client chose.
 * Probes are left out: they would hide how callers fare.
 */
export function observeRequests(app: App, { metrics, isPolicy }: Dependencies): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.rateLimit !== false) {
      // Not onResponse, which is silent about clients that gave up: most do when STS is slow.
      reply.raw.once('close', () => {
        if (request.vend === 'running') metrics.vendsRunning(-1)
        request.vend = 'over'
        metrics.answered({ ...labelsOf(request), status: statusOf(reply), seconds: reply.elapsedTime / 1000 })
      })
    }
    done()
  })
  // Only from here: who asks is known, and the body is here, so that a client that dawdles does not count as load.
  app.addHook('preHandler', (request, _reply, done) => {
    // The client may have left meanwhile.
    if (request.routeOptions.config.vends && request.vend !== 'over') {
      request.vend = 'running'
      metrics.vendsRunning(1)
    }
    done()
  })
  app.addHook('onSend', ({ routeOptions, notes }, _reply, payload, done) => {
    if (routeOptions.config.vends) {
      const policy = notes?.asked?.policy
      metrics.vended(policy !== undefined && isPolicy(policy) ? policy : 'unknown', notes?.refusal?.code ?? 'issued')
    }
    done(null, payload)
  })
}
