import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { VendError } from '../errors.ts'
import { clockFault } from '../lib/clock-offset.ts'
import { call, createPool, OutboundError, type OutboundResponse, type Pool, type PoolOptions } from '../lib/outbound.ts'
import { type SigningKeys, signingDate, signJdcloud2 } from '../lib/signature-v4.ts'
import type { AssumeRoleRequest, CredentialSource, Credentials } from './credentials.ts'
import { createExpirationReader, type TimeZone, type ZoneReport } from './expiration.ts'
import { describeRefusal } from './refusal.ts'

/** STS is global, and the server reads the region from the signature's scope: this is what the Java and Go SDKs send. */
const REGION = 'jdcloud-api'
/** Every official SDK sends, and signs, the colon percent-encoded. */
const PATH = '/v1/sessionToken%3AassumeRole'
const MAX_RESPONSE_BYTES = 64 * 1024

/** How to reach STS, as whom, for which role. */
export type StsOptions = Readonly<{
  endpoint: string
  /** The Host header that STS sees, if a proxy in front of STS changes it. */
  signHost?: string | undefined
  roleJrn: string
  connectTimeoutMs: number
  /** For the whole call. */
  timeoutMs: number
  connections: number
  /** Of the expirations that STS writes; `auto` learns it from them. */
  timeZone?: TimeZone | 'auto'
}> &
  SigningKeys &
  Pick<PoolOptions, 'route' | 'clock'>

type Dependencies = Readonly<{ pool?: Pool; now?: () => number; nonce?: () => string; onZone?: ZoneReport }>

const key = z.string().regex(/^[\x21-\x7e]{1,8192}$/u)
const successSchema = z.looseObject({
  result: z.looseObject({
    credentials: z.looseObject({ accessKey: key, secretKey: key, sessionToken: key, expiration: z.string() }),
  }),
})
/** JD Cloud STS, whose long-lived keys can be replaced while it is asked. */
export type JdcloudSts = CredentialSource &
  Readonly<{
    keys: () => SigningKeys
    /** The time zone of its expirations, once it is known. */
    zone: () => TimeZone | undefined
    /**
     * Signs with these from the next call on, once STS has granted them `probe`.
     * @throws {VendError} `upstream_denied` when it has not, another `upstream_` when that could not be found out; the
     * old keys stay
     */
    replaceKeys(keys: SigningKeys, probe: AssumeRoleRequest): Promise<void>
  }>

/**
 * The credential source that asks JD Cloud STS.
 *
 * Each call has a connection of its own: STS's answer names nobody, so an answer that came twice over a connection, from
 * STS or a gateway before it, would be taken for the answer to the next caller's question.
 */
export function createJdcloudSts(options: StsOptions, dependencies: Dependencies = {}): JdcloudSts {
  const { pool = createPool({ ...options, maxResponseBytes: MAX_RESPONSE_BYTES, keepAlive: false }), now = Date.now } =
    dependencies
  const { nonce = randomUUID, onZone } = dependencies
  const url = new URL(PATH, options.endpoint)
  const expirations = createExpirationReader(options.timeZone, onZone)
  const kind = {
    method: 'POST',
    host: options.signHost ?? url.host,
    path: url.pathname,
    headers: { 'content-type': 'application/json' },
    service: 'sts',
    region: REGION,
  }
  let inUse: SigningKeys = { accessKey: options.accessKey, secretKey: options.secretKey }

  async function assumeRole(
    { roleSessionName, policy, durationSeconds: wanted }: AssumeRoleRequest,
    { signal, by = inUse }: Readonly<{ signal?: AbortSignal; by?: SigningKeys }> = {},
  ): Promise<Credentials> {
    const durationSeconds = expirations.askable(wanted)
    const body = JSON.stringify({
      assumeRoleInfo: { roleJrn: options.roleJrn, roleSessionName, policy, durationSeconds },
    })
    const requestedAt = now()
    const signed = signJdcloud2({ ...kind, body, date: signingDate(requestedAt), nonce: nonce() }, by)
    // TLS asks for a certificate of the host in this header.
    const headers = { ...signed, host: url.host }
    const { timeoutMs } = options
    const request = { method: 'POST', url: url.href, headers, body, timeoutMs, signal } as const
    const response = await call(pool, request).catch(upstreamError)
    if (response.status !== 200) throw refusal(response, [by, inUse])
    const { expiration, ...credentials } = readCredentials(response)
    const expiresAt = expirations.read(expiration, { requestedAt, receivedAt: now(), durationSeconds })
    if (expiresAt === undefined) throw unusable('no usable expiration')
    return { ...credentials, expiresAt }
  }

  return {
    // Callers of this function cannot pass keys by mistake.
    assumeRole: (request, { signal } = {}) => assumeRole(request, { ...(signal && { signal }) }),
    keys: () => inUse,
    zone: expirations.zone,
    async replaceKeys(keys, probe) {
      await assumeRole(probe, { by: keys })
      inUse = keys
    },
    close: () => pool.close(),
  }
}

function upstreamError(error: unknown): never {
  if (!(error instanceof OutboundError)) throw error
  const code = error.failure === 'timeout' ? 'upstream_timeout' : 'upstream_unavailable'
  throw unusable(error.code, code, error)
}

/** A 429 or 5xx says nothing about us and may pass; any other answer means that our keys, role or policy are wrong. */
function refusal(response: OutboundResponse, keys: readonly SigningKeys[]): VendError {
  const { status, headers, body } = response
  const upstream = { status, ...describeRefusal(parseJson(body), keys) }
  const passing = status === 429 || status >= 500 || status < 400
  if (!passing) {
    const log = { upstream: { ...upstream, ...clockFault(response.clockOffsetSeconds) } }
    return new VendError('upstream_denied', { log })
  }
  const log = { upstream }
  const retryAfterSeconds = retryAfter(headers['retry-after'])
  return new VendError('upstream_unavailable', { log, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) })
}

function readCredentials({ body }: OutboundResponse) {
  const parsed = successSchema.safeParse(parseJson(body))
  if (!parsed.success) throw unusable('not the documented answer')
  const { accessKey, secretKey, sessionToken, expiration } = parsed.data.result.credentials
  return { accessKey, secretKey, sessionToken, expiration }
}

function unusable(
  reason: string,
  code: 'upstream_unavailable' | 'upstream_timeout' = 'upstream_unavailable',
  cause?: unknown,
): VendError {
  return new VendError(code, { log: { upstream: { reason } }, cause })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whole seconds up to a minute are believed; more is cut down to what keeps a client trying, a date is not read. */
function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = typeof header === 'string' && /^\d{1,6}$/u.test(header) ? Number(header) : undefined
  return seconds === undefined ? undefined : Math.min(Math.max(seconds, 1), 60)
}
