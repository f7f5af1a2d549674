import { isIP } from 'node:net'
import { normalizeIP } from '@fastify/rate-limit'

/** Whoever has one IPv6 address has the /64 around it, and a new address for every request. */
const IPV6_PREFIX = 64

/**
 * What an address is counted as: an IPv4 address, or the /64 of an IPv6 one. Some load balancers append the port. What
 * is no address at all can only come from a trusted proxy, and is one key, so that it cannot be many.
 */
export function addressKey(ip: string | undefined = ''): string {
  if (isIP(ip) === 4) return ip
  // A zone says on which of our own links somebody is, not who.
  const address = /^(\d+\.\d+\.\d+\.\d+):\d+$/u.exec(ip)?.[1] ?? ip.split('%')[0] ?? ''
  return isIP(address) === 0 ? 'unknown' : normalizeIP(address, IPV6_PREFIX)
}
