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
    request.requestSpan = span
    request.log = request.log.child(span.ids)
    reply.raw.once('close', () => span.end({ status: statusOf(reply), code: request.refusedWith }))
    span.enter(done)
  })
  // The body arrives in events of the connection, which belong to no request.
  app.addHook('preValidation', ({ requestSpan }, _reply, done) => (requestSpan ? requestSpan.enter(done) : done()))
}
