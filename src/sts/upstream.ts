import { VendError } from '../errors.ts'
import { clockFault } from '../lib/clock-offset.ts'
import {
  call,
  createPool,
  OutboundError,
  type OutboundRequest,
  type OutboundResponse,
  type Pool,
  type PoolOptions,
} from '../lib/outbound.ts'
import type { SigningKeys } from '../lib/signature-v4.ts'

/** How to reach an STS, as whom, for which role. */
export type StsOptions = Readonly<{
  endpoint: string
  /** JRN or ARN of the role. */
  role: string
  connectTimeoutMs: number
  /** For the whole call. */
  timeoutMs: number
  connections: number
}> &
  SigningKeys &
  Pick<PoolOptions, 'route' | 'clock'>

/** No documented answer is near this. */
const MAX_RESPONSE_BYTES = 64 * 1024

/**
 * Connections to an STS, one for each call. An answer of STS names nobody, so an answer that came twice over a
 * connection, from STS or a gateway before it, would be taken for the answer to the next caller's question.
 */
export const createStsPool = (options: StsOptions): Pool =>
  createPool({ ...options, maxResponseBytes: MAX_RESPONSE_BYTES, keepAlive: false })

/**
 * Sends one request to STS.
 * @throws {VendError} `upstream_unavailable` or `upstream_timeout` when no whole answer comes
 */
export function askUpstream(pool: Pool, request: OutboundRequest): Promise<OutboundResponse> {
  return call(pool, request).catch((error: unknown) => {
    if (!(error instanceof OutboundError)) throw error
    const code = error.failure === 'timeout' ? 'upstream_timeout' : 'upstream_unavailable'
    throw new VendError(code, { log: { upstream: { reason: error.code } }, cause: error })
  })
}

/** An answer that is not the documented one, or cannot be used. */
export const unusable = (reason: string) => new VendError('upstream_unavailable', { log: { upstream: { reason } } })

/** Whether a status says nothing about us and may pass. */
export const mayPass = (status: number) => status === 429 || status >= 500 || status < 400

/** An answer by which STS refuses. Unless it may pass, our keys, role or policy are wrong. `cause` is for the log. */
export function refused(
  { status, headers, clockOffsetSeconds }: OutboundResponse,
  cause: Readonly<Record<string, unknown>>,
  passing = mayPass(status),
): VendError {
  const log = { upstream: { status, ...cause, ...(!passing && clockFault(clockOffsetSeconds)) } }
  if (!passing) return new VendError('upstream_denied', { log })
  const retryAfterSeconds = retryAfter(headers['retry-after'])
  return new VendError('upstream_unavailable', { log, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) })
}

/** Whole seconds up to a minute are believed; more is cut down to what keeps a client trying, a date is not read. */
function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = typeof header === 'string' && /^\d{1,6}$/u.test(header) ? Number(header) : undefined
  return seconds === undefined ? undefined : Math.min(Math.max(seconds, 1), 60)
}
