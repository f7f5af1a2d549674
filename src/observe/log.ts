import type { FastifyRequest } from 'fastify'
import { type Bindings, type ChildLoggerOptions, type DestinationStream, type Logger, pino } from 'pino'

/**
 * The loggable part of an error: type, code, and where it was thrown. Its message and other properties are left out,
 * because HTTP clients, token libraries and Node's parser quote requests in them, tokens included.
 */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error }
  const code = 'code' in error && /^[\w.-]{1,64}$/u.test(String(error.code)) ? String(error.code) : undefined
  // The stack begins with the message, and a message may contain lines that look like frames.
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
/** Deeper levels are left out of the log. */
const DEPTH = 3

/**
 * Returns the object without members that are named like secrets, or the same object if it has none. pino's own
 * redaction copies every object, which was a tenth of the cost of a vend.
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

/** Whether a value is a plain object. Requests, replies and errors are not: serialisers read them. */
function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/**
 * The service's logger. It writes JSON lines. Serialisers keep secrets out, and a check of member names does so again.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const logger = pino(
    {
      level,
      formatters: { log: withoutSecrets },
      serializers: {
        err: describeError,
        error: describeError,
        // The query of a URL may contain a token or a key.
        req: ({ method, routeOptions, ip }: FastifyRequest) => ({ method, route: routeOptions.url, address: ip }),
        res: ({ statusCode }: { statusCode: number }) => ({ statusCode }),
      },
    },
    ...(destination ? [destination] : []),
  )
  const { child } = logger
  // pino formats only the bindings of the first logger. Children of children inherit this override too.
  return Object.assign(logger, {
    child(this: Logger, bindings: Bindings, options?: ChildLoggerOptions): Logger {
      return Reflect.apply(child, this, [withoutSecrets(bindings), options])
    },
  })
}
