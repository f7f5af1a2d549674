import { z } from 'zod'
import { parseProxyUrl } from '../../lib/proxy.ts'
import { type Group, text } from '../setting.ts'

const proxyAddress = z.string().transform((url, context) => {
  const proxy = parseProxyUrl(url)
  if (proxy) return proxy
  context.addIssue({ code: 'custom', message: 'is not an address of a proxy' })
  return z.NEVER
})
const proxySetting = {
  secret: true,
  anyCase: true,
  schema: proxyAddress,
  rule: 'must be the http:// or https:// address of a proxy, without a path',
  remedy: 'write http://[user:password@]host:port, with special characters of the password percent-encoded',
} as const

/** The way to STS, to key servers and to Redis. */
export const outbound = {
  HTTPS_PROXY: {
    help: 'Proxy for connections to STS and to key servers: http://proxy.example.com:3128, or http://user:password@host:port. Loopback and Redis are reached without it. https_proxy is read too.',
    ...proxySetting,
    unset: 'HTTP_PROXY if that is set, otherwise no proxy',
  },
  HTTP_PROXY: {
    help: 'Proxy for the same connections if HTTPS_PROXY is unset. Plain http never goes through a proxy. http_proxy is read too.',
    ...proxySetting,
    unset: 'no proxy',
  },
  NO_PROXY: {
    help: 'Hosts that are reached without the proxy, each with its subdomains, separated by commas: example.com, keys.example.net:8443. * alone means all hosts. Ranges such as 10.0.0.0/8 have no effect. no_proxy is read too.',
    anyCase: true,
    schema: text,
    unset: 'loopback only',
    rule: 'must be hosts, separated by commas',
    remedy: 'write host names or addresses, each perhaps with a port',
  },
  EXTRA_CA_FILE: {
    help: "PEM file of certificate authorities to trust besides Node's own, for STS, key servers, the proxy and Redis: those of a private network, or of a proxy that inspects TLS.",
    schema: text,
    unset: "Node's own authorities",
    rule: 'must be the path of a PEM file of certificates',
    remedy: 'write the certificates of the authorities into it, in PEM',
  },
} satisfies Group
