import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'

export type Address = ipaddr.IPv4 | ipaddr.IPv6

/** The longest address with brackets, zone and port is shorter. A proxy may pass on a text of any length. */
const MAX_LENGTH = 100

/**
 * Reads an address as sockets and proxies write it: with a port, in brackets, with a zone, with leading zeros. An IPv4
 * address in IPv6 clothes is IPv4. Undefined for anything else, such as `unknown` or `_hidden`.
 */
export function parseAddress(text: string | undefined = ''): Address | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const [, inBrackets, beforePort] = /^\[([^\]]*)\](?::\d+)?$|^(.*\.\d+):\d+$/u.exec(text) ?? []
  // A zone names one of our own links, not a caller.
  const [withoutZone = ''] = (inBrackets ?? beforePort ?? text).split('%')
  // Proxies that pad IPv4 addresses write decimal numbers; ipaddr.js would read them as octal ones.
  const bare = withoutZone.replace(/\b0+(?=[\da-f]+\b)/giu, '')
  const address = parseBare(bare)
  return address && unmapped(address)
}

/** Reads an address without anything around it, and leaves an IPv4 one in IPv6 clothes as it is. */
export function parseBare(text: string): Address | undefined {
  const version = isIP(text)
  if (version === 4) return ipaddr.IPv4.parse(text)
  // ipaddr.js takes ::192.0.2.1 for ::ffff:192.0.2.1; with the 0 in front it reads what it says.
  return version === 6 ? ipaddr.IPv6.parse(text.replace(/^::(?=\d+\.)/u, '0::')) : undefined
}

/** The IPv4 address in IPv6 clothes, which a socket that listens on :: shows as ::ffff:192.0.2.1. */
export function unmapped(address: Address): Address {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

/**
 * The key of an address's counts: an IPv4 address, or the /64 of an IPv6 one, because anyone who has one address has the
 * whole /64, and can use a new one for every request. Undefined for what is no address.
 */
export function addressKey(text: string | undefined): string | undefined {
  // The usual case, without the cost of parsing.
  if (text !== undefined && isIP(text) === 4) return text
  const address = parseAddress(text)
  if (!(address instanceof ipaddr.IPv6)) return address?.toString()
  const network = address.parts.slice(0, 4).map((part) => part.toString(16))
  return `${network.join(':')}::/64`
}

/**
 * The key of a client's counts. A client whose trusted proxy hides its address, or tells nonsense, is
 * counted as the nearest proxy that has one: under one key for all of them, every such client in the world would share
 * its limits with the others.
 */
export function clientKey(request: Pick<FastifyRequest, 'ip' | 'ips'>): string {
  const key = addressKey(request.ip)
  if (key !== undefined) return key
  // From the proxy that is connected to us outwards.
  const nearer = (request.ips ?? []).map(addressKey).findLast((one) => one !== undefined)
  // Without any: the connection is closed, and nobody sees the answer.
  return nearer ?? 'unknown'
}
/** Whether a host, as `URL` writes it, is this machine itself. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/u.test(hostname)
}
