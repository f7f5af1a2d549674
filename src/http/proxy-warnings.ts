import type { FastifyRequest } from 'fastify'
import { type TrustedProxies, trustProxyOf } from '../lib/trusted-proxies.ts'
import type { App } from './fastify.ts'

/** Headers by which proxies tell a client's address. We read the first alone. */
const HEADERS = ['x-forwarded-for', 'forwarded', 'x-real-ip'] as const

const UNBELIEVED =
  'a proxy seems to be in front that TRUST_PROXY does not name: its callers share one address, and the limits of one'
const SILENT =
  'a proxy that TRUST_PROXY names sends no X-Forwarded-For: its callers share one address, and the limits of one'

/**
 * Tells the log, once for each, when the proxies in front and `TRUST_PROXY` do not fit: then one client's requests use
 * up the limits of all. Once, because strangers can send these headers, too.
 */
export function warnOfProxies(app: App, trusted: TrustedProxies): void {
  const trust = trustProxyOf(trusted)
  const told = new Set<string>()
  const warn = (request: FastifyRequest, message: string, header?: string) => {
    const address = request.raw.socket.remoteAddress
    if (!told.has(message)) request.log.warn({ address, ...(header && { header }) }, message)
    told.add(message)
  }
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers, socket } = request.raw
    const header = HEADERS.find((name) => headers[name] !== undefined)
    const believed = trust !== false && trust(socket.remoteAddress, 0)
    // Load balancers probe on their own behalf.
    const isProbe = request.routeOptions.config.rateLimit === false
    if (header && !believed) warn(request, UNBELIEVED, header)
    else if (believed && header !== HEADERS[0] && !isProbe) warn(request, SILENT, header)
    done()
  })
}
