import ipaddr from 'ipaddr.js'
import { type Address, parseAddress, parseBare, unmapped } from './address.ts'

/** A network and the length of its prefix. */
export type Range = readonly [network: Address, bits: number]

/** Whom to believe about a client's address: nobody, so many proxies from us outwards, or those in these ranges. */
export type TrustedProxies = false | number | readonly Range[]

/**
 * Ranges with this share of all IPv4 or IPv6 addresses, a /6, hold as good as everybody: public IPv6 addresses are an
 * eighth of all, and few parts of it are in use. All private ranges together are a smaller share.
 */
const EVERYBODY = 1 / 64

/** Reads addresses and CIDR ranges; undefined when one is wrong, has host bits set, or they hold everybody together. */
export function readRanges(texts: readonly string[]): readonly Range[] | undefined {
  const ranges = texts.map(readRange).filter((range) => range !== undefined)
  if (ranges.length === 0 || ranges.length < texts.length) return undefined
  // CIDR ranges never overlap in part: each is inside another or apart from it.
  const apart = ranges.filter((range, at) => !ranges.some((other, i) => i !== at && isInside(range, other, i < at)))
  const share = (kind: 'ipv4' | 'ipv6', size: number) =>
    apart.reduce((sum, [network, bits]) => (network.kind() === kind ? sum + 2 ** (size - bits) : sum), 0) / 2 ** size
  return share('ipv4', 32) < EVERYBODY && share('ipv6', 128) < EVERYBODY ? ranges : undefined
}

const CIDR = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/u

function readRange(text: string): Range | undefined {
  const [, base = '', length] = CIDR.exec(text) ?? []
  const address = parseBare(base)
  if (!address) return undefined
  const [family, size] = address.kind() === 'ipv4' ? [ipaddr.IPv4, 32] : [ipaddr.IPv6, 128]
  const bits = length === undefined ? size : Number(length)
  if (bits > size) return undefined
  const network = family.networkAddressFromCIDR(`${address}/${bits}`)
  // 10.0.0.7/8 is a slip: it may stand for one address or for a network, and nobody can know which.
  if (network.toString() !== address.toString()) return undefined
  const plain = unmapped(network)
  return [plain, plain === network ? bits : bits - 96]
}

const isInside = ([network, bits]: Range, [other, otherBits]: Range, orEqual: boolean) =>
  network.kind() === other.kind() &&
  (otherBits < bits || (orEqual && otherBits === bits)) &&
  network.match(other, otherBits)

/** `trustProxy` for Fastify, whose own reading of ranges takes an entry with a port for no address of a proxy. */
export function trustProxyOf(trusted: TrustedProxies): false | ((address: string | undefined, hop: number) => boolean) {
  if (trusted === false) return false
  if (typeof trusted === 'number') return (_address, hop) => hop < trusted
  return (text) => {
    const address = parseAddress(text)
    return trusted.some(([network, bits]) => network.kind() === address?.kind() && address.match(network, bits))
  }
}
