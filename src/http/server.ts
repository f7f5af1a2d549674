import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http'
import cors from '@fastify/cors'
import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Config } from '../config/config.ts'
import { VendError } from '../errors.ts'
import { trustProxyOf } from '../lib/trusted-proxies.ts'
import type { App } from './fastify.ts'
import { acceptJsonAlone } from './json-body.ts'
import { trackMethods } from './methods.ts'
import { noteRefusal } from './notes.ts'
import { problem, problemSchema } from './problem.ts'
import { requestIdOf } from './request-id.ts'
import { createSerializerCompiler, writerOf } from './serialize.ts'
import { type Cut, headersOf, MAX_HEADERS, type Turns, takeTurns } from './turns.ts'
import { answerUnparsable } from './unparsable.ts'
import { validatorCompiler } from './validation.ts'

declare module 'fastify' {
  interface FastifyInstance {
    unanswered: Turns
  }
  interface FastifyRequest {
    /** A line of the route's own has told the log that this was answered. */
    told: boolean
  }
}

const ROUTER = { maxParamLength: 128 }
const BODY_LIMIT_BYTES = 16 * 1024
/** For all header fields beside the token, and for all of a form beside it. */
export const BESIDE_TOKEN_BYTES = 8 * 1024
/** Longer than the 60 s after which common load balancers drop an idle connection, so that they never find it closed. */
const KEEP_ALIVE_MS = 72_000

/**
 * A Fastify instance with everything that does not depend on what the service is for: limits, headers, errors, logs.
 * `onCut` is told of each connection that is closed before its time.
 */
export async function createServer(
  config: Config,
  logger: FastifyBaseLogger,
  onCut: (cut: Cut) => void = () => {},
): Promise<App> {
  const { requestTimeoutMs } = config
  const server = createHttpServer({
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: requestTimeoutMs,
    // Where this is longer than requestTimeout, Node swaps the two, and a body may dawdle for a minute.
    headersTimeout: requestTimeoutMs,
    // By default Node looks for late requests every 30 s.
    connectionsCheckingInterval: 1000,
    maxHeaderSize: config.maxTokenBytes + BESIDE_TOKEN_BYTES,
    // Node's own refusal is no problem document.
    requireHostHeader: false,
  })
  // Node would drop headers beyond a number, a second Authorization among them.
  server.maxHeadersCount = 0
  const app = fastify({
    // A server of our own is the only one: Fastify opens no second one for the other address of localhost.
    serverFactory: () => server,
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestIdOf,
    requestIdHeader: false,
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: trustProxyOf(config.trustProxy),
    forceCloseConnections: 'idle',
    // Requests that were accepted are answered, also while closing.
    return503OnClosing: false,
    routerOptions: ROUTER,
    clientErrorHandler: (error, socket) => {
      // A request whose answer is still to come would take this one for its own.
      if (app.unanswered.some(socket)) socket.destroy()
      else answerUnparsable(error, socket, requestTimeoutMs)
    },
    frameworkErrors: answerError,
  }).withTypeProvider<ZodTypeProvider>()

  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(createSerializerCompiler())
  acceptJsonAlone(app)
  const serve: RequestListener = (request, response) => app.routing(request, response)
  app.decorate('unanswered', takeTurns(server, serve, { sendMs: requestTimeoutMs, onCut }))
  app.decorateRequest('caller', null)
  app.decorateRequest('told', false)
  app.decorateRequest('notes', null)
  app.decorateRequest('vend', undefined)
  app.setErrorHandler(answerError)
  const methodsAt = trackMethods(app, ROUTER)
  const noRoute = ({ url }: FastifyRequest) => {
    const allow = methodsAt(url)
    return allow.length === 0 ? new VendError('not_found') : new VendError('method_not_allowed', { allow })
  }
  app.setNotFoundHandler((request, reply) => answerError(noRoute(request), request, reply))

  // Before CORS, which answers preflights by itself.
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(SECURITY_HEADERS).header('x-request-id', request.id)
    done()
  })
  // After limits and authentication, so that all of this counts, and nobody sends a body that is refused anyway.
  app.addHook('preParsing', (request, reply, payload, done) => {
    if (request.is404) return done(noRoute(request))
    const fault = malformation(request.raw)
    if (fault !== undefined) return done(new VendError('invalid_request', { detail: fault }))
    if (request.headers.expect !== undefined && request.raw.httpVersion === '1.1') reply.raw.writeContinue()
    done(null, payload)
  })
  app.addHook('onSend', ({ raw }, reply, payload, done) => {
    const answer = () => {
      // The rest of a body that nobody reads would be taken for the next request, and its delay answered with a 408.
      if (raw.complete === false) reply.header('connection', 'close')
      app.unanswered.answering(raw, reply.raw)
      done(null, payload)
    }
    // Node's parser may have called us before it looked at the end of the request, which it has read.
    if (raw.complete === false) queueMicrotask(answer)
    else answer()
  })
  if (config.corsOrigins.length > 0) {
    await app.register(cors, {
      origin: config.corsOrigins.includes('*') ? '*' : [...config.corsOrigins],
      methods: ['GET', 'POST'],
      // The last three are what the AWS SDK for JavaScript sends to STS.
      allowedHeaders: [
        'authorization',
        'content-type',
        'x-request-id',
        'amz-sdk-invocation-id',
        'amz-sdk-request',
        'x-amz-user-agent',
        ...(config.tracing ? ['traceparent'] : []),
      ],
      // `date`: by it a page finds out that the clock of its device is wrong.
      exposedHeaders: [
        'date',
        'x-request-id',
        'retry-after',
        'ratelimit-limit',
        'ratelimit-remaining',
        'ratelimit-reset',
      ],
      maxAge: 600,
      strictPreflight: false,
    })
  }

  app.addHook('onResponse', (request, reply, done) => {
    if (!request.told) {
      const milliseconds = Math.round(reply.elapsedTime * 10) / 10
      request.log.info({ req: request, res: reply, milliseconds }, 'answered')
    }
    done()
  })
  return app
}

/**
 * On every answer, errors included: answers hold credentials, are JSON and nothing else, and belong in no frame. A page
 * adds its own. Written once: @fastify/helmet builds its texts anew for each answer, which is a tenth of a vend.
 */
const SECURITY_HEADERS = Object.freeze({
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
})

/** A name or an address, with or without a port. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/iu

/** Faults that Node would answer by itself, without a problem document. */
function malformation(raw: IncomingMessage): string | undefined {
  const { host, expect } = raw.headers
  const hosts = raw.rawHeaders.filter((item, index) => index % 2 === 0 && item.toLowerCase() === 'host')
  if (hosts.length > 1 || (host === undefined ? raw.httpVersion === '1.1' : !HOST.test(host)))
    return 'the request must have one valid Host header'
  if (expect !== undefined && !/^100-continue$/iu.test(expect)) return 'the request expects what this service cannot do'
  return headersOf(raw) > MAX_HEADERS ? `the request has more than ${MAX_HEADERS} header fields` : undefined
}

/** The one place where an error becomes a problem document. */
function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  const { code, status, detail, errors } = knownError(error, request, reply)
  return reply
    .code(status)
    .type('application/problem+json; charset=utf-8')
    .serializer(writeProblem)
    .send(
      problem(code, request.id, {
        ...(detail !== undefined && { detail }),
        ...(errors && { errors: [...errors] }),
      }),
    )
}

/**
 * An error as a VendError, logged, with the reply's headers set: all but status and body, which each dialect writes in
 * its own way. An error that is not a VendError tells nothing but its kind.
 */
export function knownError(error: unknown, request: FastifyRequest, reply: FastifyReply): VendError {
  const known = error instanceof VendError ? error : hasLeft(request) ? ABORTED : fromFastify(error)
  noteRefusal(request, known)
  if (known.code === 'internal_error') request.log.error({ error }, 'unexpected error')
  else request.log[known.logLevel]({ code: known.code, detail: known.detail, ...known.log }, 'refused')

  if (known.code === 'unauthenticated') {
    // RFC 6750: no error attribute when no token was sent at all.
    const sent = request.headers.authorization !== undefined
    reply.header('www-authenticate', sent ? 'Bearer error="invalid_token"' : 'Bearer')
  }
  if (known.retryAfterSeconds !== undefined) reply.header('retry-after', known.retryAfterSeconds)
  if (known.allow) reply.header('allow', known.allow.join(', '))
  reply.headers(SECURITY_HEADERS).header('x-request-id', request.id)
  return known
}

/** For all routes, and for what is no route. */
const writeProblem = writerOf(problemSchema)

const ABORTED = new VendError('invalid_request', { log: { reason: 'aborted' } })

/** Whether the client has closed the connection before its request was whole. */
const hasLeft = ({ raw }: FastifyRequest) => raw.destroyed && !raw.complete

const FASTIFY_CODES: Readonly<Record<string, 'payload_too_large' | 'unsupported_media_type'>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
}

function fromFastify(error: unknown): VendError {
  if (!isFastifyError(error)) return new VendError('internal_error', { cause: error })
  const code = FASTIFY_CODES[error.code]
  if (code) return new VendError(code)
  if (error.statusCode === undefined || error.statusCode >= 500)
    return new VendError('internal_error', { cause: error })
  // A wrong Content-Length, an URL that cannot be decoded.
  return new VendError('invalid_request', { detail: 'the request is not well-formed HTTP' })
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('FST_')
}
