import type { FastifyRequest } from 'fastify'
import { type DestinationStream, type Logger, pino } from 'pino'

/**
 * What may be said of any error: its type, its code, where it was thrown. Never its message, and none of its other
 * properties: those of HTTP clients, token libraries and Node's own parser quote the request, tokens included.
 */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error }
  const code = 'code' in error && /^[\w.-]{1,64}$/u.test(String(error.code)) ? String(error.code) : undefined
  const stack = error.stack?.split('\n').filter((line) => /^\s+at /u.test(line))
  return {
    type: error.name,
    ...(code !== undefined && { code }),
    stack: stack?.slice(0, 8).map((line) => line.trim()),
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  }
}

/** The service's logger: JSON lines, with secrets kept out by what the serialisers pick, and once more by path. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const secrets = ['accessKey', 'secretKey', 'sessionToken', 'authorization', 'token', 'credentials']
  return pino(
    {
      level,
      redact: { paths: [...secrets, ...secrets.map((name) => `*.${name}`), ...secrets.map((name) => `*.*.${name}`)] },
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
}
