import { Socket } from 'node:net'
import { type buildConnector, Pool } from 'undici'
import { OutboundError, outboundError } from './outbound-error.ts'
import type { ForwardProxy } from './proxy.ts'

/** How to make connections, and how to end those that go on. */
export type Connector = Readonly<{ connect: buildConnector.connector; close: () => Promise<void> }>

type TunnelOptions = Readonly<{
  proxy: ForwardProxy
  /** For reaching the proxy until it has answered CONNECT. */
  timeoutMs: number
  /** Of the connection to the proxy, if it speaks TLS itself. */
  toProxy: buildConnector.connector
  /** Speaks TLS to the host, through the tunnel. */
  toHost: buildConnector.connector
}>

/**
 * Connects to https hosts through a proxy. By hand, on undici's CONNECT: undici's own `ProxyAgent` has the proxy's status
 * only in a message, waits five minutes for a proxy that says nothing, and asks again at once, without end, after one that
 * hangs up.
 */
export function createTunnel({ proxy, timeoutMs, toProxy, toHost }: TunnelOptions): Connector {
  const pool = new Pool(proxy.origin, { connect: toProxy })
  const authorization = proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization }

  async function open(authority: string): Promise<Socket> {
    const request = { path: authority, headers: { host: authority, ...authorization } }
    const signal = AbortSignal.timeout(timeoutMs)
    const { statusCode, socket } = await pool.connect({ ...request, signal }).catch(proxyError)
    if (statusCode === 200 && socket instanceof Socket) return socket
    // The rest of a refusal, such as a page of HTML, is not read.
    socket.on('error', () => {}).destroy()
    throw new OutboundError('proxy', `PROXY_STATUS_${statusCode}`)
  }

  return {
    // TLS begins on the proxy's own bytes, if it sent any after its answer: they cannot pass for the host's.
    connect: (options, callback) => {
      open(authorityOf(options))
        .then((httpSocket) => toHost({ ...options, httpSocket }, callback))
        .catch((error: unknown) => callback(outboundError(error), null))
    },
    // Calls in a tunnel end in peace. A stop does not wait for a proxy that says nothing.
    close: () => pool.destroy(),
  }
}

const authorityOf = ({ hostname, port }: buildConnector.Options) =>
  `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port || 443}`

/** Never with undici's code as it is: to some codes undici's answer is to connect again at once. */
function proxyError(error: unknown): never {
  const { failure, code } = outboundError(error)
  throw new OutboundError('proxy', failure === 'timeout' ? 'PROXY_TIMEOUT' : `PROXY_${code.toUpperCase()}`)
}
