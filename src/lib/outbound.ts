import type { SecureContext } from 'node:tls'
import { Agent, buildConnector, type Dispatcher, request } from 'undici'
import { trusting } from './authorities.ts'
import type { ClockOffset } from './clock-offset.ts'
import { type Lookup, shareLookups } from './lookup.ts'
import { outboundError } from './outbound-error.ts'
import { type ForwardProxy, proxyRules } from './proxy.ts'
import { type Tracing, untraced } from './tracing.ts'
import { type Connector, createTunnel } from './tunnel.ts'

export { OutboundError } from './outbound-error.ts'

/** The way out of this machine. */
export type Route = Readonly<{
  proxy?: ForwardProxy
  /** Hosts that are reached without the proxy. */
  noProxy?: string
  /** Replaces Node's own choice of trusted roots. */
  secureContext?: SecureContext
  /** Replaces both for the host, not for the proxy; asked for each connection. */
  hostContext?: () => SecureContext
  /** Told of each call. */
  tracing?: Tracing
  /** Finds the addresses of names. */
  lookup?: Lookup
}>

type RouteOptions = Pick<Route, 'proxy' | 'noProxy' | 'lookup'> & Readonly<{ authorities: readonly string[] }>

/** A way out that trusts these certificate authorities too, in PEM. Everybody on it shares the look-ups of names. */
export const createRoute = ({ authorities, lookup, ...route }: RouteOptions): Route => ({
  ...route,
  lookup: shareLookups(lookup),
  ...(authorities.length > 0 && { secureContext: trusting(authorities) }),
})

export type PoolOptions = Readonly<{
  connections: number
  /** For a connection. With a proxy: for its answer to CONNECT, and again for TLS through it. */
  connectTimeoutMs: number
  maxResponseBytes: number
  /** Whether a connection is kept for the next call. Not where an answer does not say whom it is for. */
  keepAlive: boolean
  route?: Route
  /** Learns from the answers how far the clocks are apart. */
  clock?: ClockOffset
}>

/** Connections to others. */
export type Pool = Readonly<{
  dispatcher: Dispatcher
  clock?: ClockOffset
  tracing?: Tracing | undefined
  close: () => Promise<void>
}>

/** A pool that cuts an answer off at `maxResponseBytes`, whatever its Content-Length says. */
export function createPool(options: PoolOptions): Pool {
  const { connections, maxResponseBytes, keepAlive, clock } = options
  const connector = connectorOf(options)
  const dispatcher = new Agent({
    connections,
    // undici's way to say `Connection: close`.
    pipelining: keepAlive ? 1 : 0,
    maxResponseSize: maxResponseBytes,
    connect: connector.connect,
    keepAliveTimeout: 30_000,
  })
  const close = async () => {
    await connector.close()
    await dispatcher.close()
  }
  return { dispatcher, ...(clock && { clock }), tracing: options.route?.tracing, close }
}

/** Connects by the proxy where it is used, and straight elsewhere. */
function connectorOf({ connectTimeoutMs, route = {} }: PoolOptions): Connector {
  const { proxy, noProxy = '', secureContext, hostContext, lookup } = route
  // NODE_TLS_REJECT_UNAUTHORIZED=0, which people set for some other program, must not let anyone answer in STS's place.
  const verified = {
    timeout: connectTimeoutMs,
    rejectUnauthorized: true,
    ...(secureContext && { secureContext }),
    ...(lookup && { lookup }),
  }
  const straight = hostContext ? inContext(hostContext, verified) : buildConnector(verified)
  if (!proxy) return { connect: straight, close: async () => {} }
  const options = { proxy, timeoutMs: connectTimeoutMs, toProxy: buildConnector(verified), toHost: straight }
  const tunnel = createTunnel(options)
  const isProxied = proxyRules(noProxy)
  return {
    connect(target, callback) {
      const proxied = isProxied(new URL(`${target.protocol}//${target.host ?? target.hostname}`))
      return (proxied ? tunnel.connect : straight)(target, callback)
    },
    close: tunnel.close,
  }
}

/** Each context has a connector of its own, because a connector keeps TLS sessions. */
function inContext(contextNow: () => SecureContext, options: buildConnector.BuildOptions): buildConnector.connector {
  let known: SecureContext | undefined
  let connect: buildConnector.connector | undefined
  return (target, callback) => {
    try {
      const secureContext = contextNow()
      if (connect === undefined || known !== secureContext) connect = buildConnector({ ...options, secureContext })
      known = secureContext
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), null)
      return
    }
    connect(target, callback)
  }
}

/** A request to somebody else. */
export type OutboundRequest = Readonly<{
  method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS'
  url: string
  headers?: Readonly<Record<string, string>>
  body?: string
  /** For everything: connecting, sending, and the last byte of the answer. */
  timeoutMs: number
  /** Ends the call before that. */
  signal?: AbortSignal | undefined
}>

/** A whole answer. Redirects are answers like any other and are not followed. */
export type OutboundResponse = Readonly<{
  status: number
  body: string
  headers: Dispatcher.ResponseData['headers']
  /** How far the other's clock is ahead, if the pool compares clocks and the answer told the time. */
  clockOffsetSeconds?: number | undefined
}>

/** @throws {OutboundError} */
export function call(pool: Pool, outbound: OutboundRequest): Promise<OutboundResponse> {
  const { tracing = untraced } = pool
  const { method, url } = outbound
  return tracing.span(method, () => exchange(pool, outbound, tracing.headers()), {
    kind: 'client',
    // Never the URL: its path and query are the other's business.
    attributes: { 'http.request.method': method, 'server.address': new URL(url).hostname },
    describe: ({ status }) => ({ 'http.response.status_code': status }),
  })
}

async function exchange(
  pool: Pool,
  { url, timeoutMs, signal, headers: own, ...options }: OutboundRequest,
  traceHeaders: Readonly<Record<string, string>>,
): Promise<OutboundResponse> {
  const limit = AbortSignal.timeout(timeoutMs)
  const within = signal ? AbortSignal.any([limit, signal]) : limit
  const compare = pool.clock?.start()
  try {
    // undici looks at the signal only once it is connected, which with a proxy has several steps.
    const sent = { ...own, ...traceHeaders }
    const answer = request(url, { ...options, headers: sent, dispatcher: pool.dispatcher, signal: within })
    const { statusCode, headers, body } = await Promise.race([answer, aborted(within)])
    const clockOffsetSeconds = compare?.(headers)
    return { status: statusCode, headers, body: await body.text(), clockOffsetSeconds }
  } catch (error) {
    throw outboundError(error)
  }
}

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
