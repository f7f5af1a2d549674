import { Agent, type Dispatcher, errors, request } from 'undici'

/** Why an outbound call brought no usable answer. `network`: refused, not reached in time, reset, unknown host, cut off. */
export type OutboundFailure = 'timeout' | 'network' | 'too_large'

/** An outbound call that failed. The message is fixed: undici's own may quote what was sent. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError'
  readonly failure: OutboundFailure
  /** undici's or Node's, such as `ECONNREFUSED`. */
  readonly code: string

  constructor(failure: OutboundFailure, code: string) {
    super(`outbound call failed: ${failure} (${code})`)
    this.failure = failure
    this.code = code
  }
}

type PoolOptions = Readonly<{
  connections: number
  connectTimeoutMs: number
  maxResponseBytes: number
  /** Whether a connection is kept for the next call. Not where an answer does not say whom it is for. */
  keepAlive: boolean
}>

/** Connections to others. */
export type Pool = Readonly<{ dispatcher: Dispatcher; close: () => Promise<void> }>

/** A pool that cuts an answer off at `maxResponseBytes`, whatever its Content-Length says. */
export function createPool({ connections, connectTimeoutMs, maxResponseBytes, keepAlive }: PoolOptions): Pool {
  const dispatcher = new Agent({
    connections,
    // undici's way to say `Connection: close`.
    pipelining: keepAlive ? 1 : 0,
    maxResponseSize: maxResponseBytes,
    connect: { timeout: connectTimeoutMs },
    keepAliveTimeout: 30_000,
  })
  return { dispatcher, close: () => dispatcher.close() }
}

/** A request to somebody else. */
export type OutboundRequest = Readonly<{
  method: 'GET' | 'POST'
  url: string
  headers?: Readonly<Record<string, string>>
  body?: string
  /** For everything: connecting, sending, and the last byte of the answer. */
  timeoutMs: number
  /** Ends the call before that. */
  signal?: AbortSignal | undefined
}>

/** A whole answer. Redirects are answers like any other and are not followed. */
export type OutboundResponse = Readonly<{ status: number; body: string; headers: Dispatcher.ResponseData['headers'] }>

/** @throws {OutboundError} */
export async function call(
  pool: Pool,
  { url, timeoutMs, signal, ...options }: OutboundRequest,
): Promise<OutboundResponse> {
  const limit = AbortSignal.timeout(timeoutMs)
  const within = signal ? AbortSignal.any([limit, signal]) : limit
  try {
    const response = await request(url, { ...options, dispatcher: pool.dispatcher, signal: within })
    return { status: response.statusCode, headers: response.headers, body: await response.body.text() }
  } catch (error) {
    throw outboundError(error)
  }
}

/** As Node, OpenSSL and undici write their codes. */
const CODE = /^[A-Z][A-Z0-9_]{2,63}$/u

function outboundError(error: unknown): OutboundError {
  const named = error instanceof Error && 'code' in error ? String(error.code) : ''
  const code = CODE.test(named) ? named : 'unknown'
  if (error instanceof errors.ResponseExceededMaxSizeError) return new OutboundError('too_large', code)
  const timedOut =
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    (error instanceof Error && error.name === 'TimeoutError')
  return timedOut
    ? new OutboundError('timeout', code === 'unknown' ? 'TIMEOUT' : code)
    : new OutboundError('network', code)
}
