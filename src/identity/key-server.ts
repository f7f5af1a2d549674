import { call, createPool, OutboundError, type Pool, type Route } from '../lib/outbound.ts'

const MAX_BYTES = 256 * 1024
const TIMEOUT_MS = 2000

/** A pool for fetching key sets with its limits built in. */
export const createKeyPool = (route: Route = {}): Pool =>
  createPool({ connections: 4, connectTimeoutMs: TIMEOUT_MS, maxResponseBytes: MAX_BYTES, keepAlive: true, route })

/** A key server's answer that cannot be used. The code is for the log, which tells no messages. */
export class KeyServerError extends Error {
  override readonly name = 'KeyServerError'
  readonly code: string

  constructor(code: string) {
    super(`the key server's answer cannot be used: ${code}`)
    this.code = code
  }
}

/** One word for why a fetch failed: `timeout`, `network`, `proxy`, `too_large`, `http_<status>`, `not_json`, `no_keys`, … */
export function failureOf(error: unknown): string {
  if (error instanceof OutboundError) return error.failure
  return error instanceof KeyServerError ? error.code : 'unexpected'
}

/** @throws {OutboundError | KeyServerError} */
export async function fetchJson(pool: Pool, url: string): Promise<unknown> {
  const headers = { accept: 'application/json' }
  const { status, body } = await call(pool, { method: 'GET', url, headers, timeoutMs: TIMEOUT_MS })
  if (status !== 200) throw new KeyServerError(`http_${status}`)
  try {
    return JSON.parse(body)
  } catch {
    throw new KeyServerError('not_json')
  }
}
