import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config/config.ts'
import { proxyRules } from '../lib/proxy.ts'

/**
 * Logs which hosts are called through the proxy, and warns of a proxy that nothing goes through. Of a discovered key set,
 * only the host of its issuer is known at start.
 */
export function reportProxy(
  logger: Pick<FastifyBaseLogger, 'info' | 'warn'>,
  { outbound, targets, issuers, tracing }: Pick<Config, 'outbound' | 'targets' | 'issuers' | 'tracing'>,
): void {
  if (!outbound.proxy) return
  const isProxied = proxyRules(outbound.noProxy)
  const keyServers = issuers.flatMap(({ keys }) =>
    keys.flatMap(({ origin }) =>
      origin.kind === 'jwks' ? [origin.url] : origin.kind === 'discovery' ? [origin.issuer] : [],
    ),
  )
  const others = [...keyServers, ...(tracing ? [tracing.endpoint] : [])]
  const urls = [...targets.map(({ sts }) => sts.endpoint), ...others].map((address) => new URL(address))
  const hostsOf = (proxied: boolean) => [
    ...new Set(urls.filter((url) => isProxied(url) === proxied).map(({ host }) => host)),
  ]
  const told = { proxy: outbound.proxy.origin, proxied: hostsOf(true), direct: hostsOf(false) }
  if (told.proxied.length > 0) logger.info(told, 'outbound connections use the proxy')
  else
    logger.warn(
      told,
      'a proxy is set and nothing goes through it: all hosts are in NO_PROXY, on loopback or plain http',
    )
}
