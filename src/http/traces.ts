import type { StartRequest } from '../lib/tracing.ts'
import type { App } from './fastify.ts'
import { labelsOf, statusOf } from './requests.ts'

/** Makes a span of each request but probes, and puts its ids on every line of the log that the request causes. */
export function traceRequests(app: App, start: StartRequest | undefined): void {
  if (!start) return
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.rateLimit === false) return done()
    const traceparent = request.headers.traceparent
    const span = start({ ...labelsOf(request), traceparent: typeof traceparent === 'string' ? traceparent : undefined })
    request.log = request.log.child(span.ids)
    reply.raw.once('close', () => span.end({ status: statusOf(reply), code: request.notes?.refusal?.code }))
    // Fastify itself carries this over the events in which a body arrives.
    span.enter(done)
  })
}
