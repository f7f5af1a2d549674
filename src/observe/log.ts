import type { FastifyRequest } from 'fastify'
import { type Bindings, type ChildLoggerOptions, type DestinationStream, type Logger, pino } from 'pino'

/**
 * What may be said of any error: its type, its code, where it was thrown. Never its message, and none of its other
 * properties: those of HTTP clients, token libraries and Node's own parser quote the request, tokens included.
 */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error }
  const code = 'code' in error && /^[\w.-]{1,64}$/u.test(String(error.code)) ? String(error.code) : undefined
  // The stack begins with the message, and a message may have lines that look like places.
  const stack = error.stack
    ?.replace(error.message, '')
    .split('\n')
    .filter((line) => /^\s+at /u.test(line))
  return {
    type: error.name,
    ...(code !== undefined && { code }),
    stack: stack?.slice(0, 8).map((line) => line.trim()),
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  }
}

const SECRETS = new Set(['accessKey', 'secretKey', 'sessionToken', 'authorization', 'token', 'credentials'])
/** Nothing here logs deeper than this. What lies deeper is left out. */
const DEPTH = 3

/**
 * The object without what goes by the name of a secret; the very same when there is none. pino's own redaction copies
 * each object that it looks at, which was a tenth of the cost of a vend.
 */
function withoutSecrets(object: Record<string, unknown>, depth = DEPTH): Record<string, unknown> {
  let clean = object
  for (const name in object) {
    const value = object[name]
    const kept = SECRETS.has(name) ? '[Redacted]' : isPlain(value) ? nested(value, depth - 1) : value
    if (kept === value) continue
    if (clean === object) clean = { ...object }
    clean[name] = kept
  }
  return clean
}

const nested = (value: Record<string, unknown>, depth: number) =>
  depth > 0 ? withoutSecrets(value, depth) : '[Object]'

/** Not those that a serialiser will pick from: requests, replies, errors. */
function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** The service's logger: JSON lines, with secrets kept out by what the serialisers pick, and once more by name. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const logger = pino(
    {
      level,
      formatters: { log: withoutSecrets },
      serializers: {
        err: describeError,
        error: describeError,
        // A URL may carry a token or a key in its query.
        req: ({ method, routeOptions, ip }: FastifyRequest) => ({ method, route: routeOptions.url, address: ip }),
        res: ({ statusCode }: { statusCode: number }) => ({ statusCode }),
      },
    },
    ...(destination ? [destination] : []),
  )
  const { child } = logger
  // pino shows a formatter the bindings of the first logger only. Children of children inherit this one, too.
  return Object.assign(logger, {
    child(this: Logger, bindings: Bindings, options?: ChildLoggerOptions): Logger {
      return Reflect.apply(child, this, [withoutSecrets(bindings), options])
    },
  })
}
