import { createClockOffset } from '../../lib/clock-offset.ts'
import { call, createPool, OutboundError, type Route } from '../../lib/outbound.ts'
import { type Outcome, passed } from './check.ts'
import { unreached } from './connection.ts'

type Reach = Readonly<{
  address: string
  /** The setting that holds it. */
  settings: readonly string[]
  route: Route
  connectTimeoutMs: number
  timeoutMs: number
  now: () => number
}>

/** What an answer tells: how far the clock of the server is ahead, in seconds, if it told the time. */
export type Reached = Readonly<{ clockOffsetSeconds: number | undefined }>

const MAX_BYTES = 64 * 1024

/** Whether a server answers at all, by TLS that the service trusts. Any status is an answer: nothing is signed. */
export async function reach({ address, settings, route, now, ...limits }: Reach): Promise<Outcome<Reached>> {
  const clock = createClockOffset(now)
  const pool = createPool({ ...limits, connections: 1, maxResponseBytes: MAX_BYTES, keepAlive: false, route, clock })
  try {
    const url = new URL('/', address).href
    const { clockOffsetSeconds } = await call(pool, { method: 'GET', url, timeoutMs: limits.timeoutMs })
    const how = new URL(address).protocol === 'https:' ? 'by TLS' : 'without TLS'
    return { lines: [passed(`answers at ${address} ${how}`)], value: { clockOffsetSeconds } }
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error
    return { lines: [unreached(address, error, settings)] }
  } finally {
    await pool.close()
  }
}
