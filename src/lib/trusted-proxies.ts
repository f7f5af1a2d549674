import ipaddr from 'ipaddr.js'
import { type Address, parseAddress, parseBare, unmapped } from './address.ts'

/** A network and the length of its prefix. */
export type Range = readonly [network: Address, bits: number]

/** Whom to believe about a client's address: nobody, so many proxies from us outwards, or those in these ranges. */
export type TrustedProxies = false | number | readonly Range[]

/** Ranges with this share of all addresses, a /6, hold as good as everybody. All private ranges together are smaller. */
const EVERYBODY = 1 / 64
/**
 * Public IPv6 addresses, and how many of them hold as good as everybody: a /16. Registries give out less than ten /12 of
 * these, and 6to4 puts all of IPv4 into one /16. No load balancer has as many.
 */
const PUBLIC_IPV6: Range = [ipaddr.IPv6.parse('2000::'), 3]
const EVERYBODY_IN_PUBLIC_IPV6 = 2 ** (128 - 16)

/** Reads addresses and CIDR ranges; undefined when one is wrong, has host bits set, or they hold everybody together. */
export function readRanges(texts: readonly string[]): readonly Range[] | undefined {
  const ranges = texts.map(readRange).filter((range) => range !== undefined)
  if (ranges.length === 0 || ranges.length < texts.length) return undefined
  // CIDR ranges never overlap in part: each is inside another or apart from it.
  const apart = ranges.filter((range, at) => !ranges.some((other, i) => i !== at && isInside(range, other, i < at)))
  const count = (size: number, some: readonly Range[]) => some.reduce((sum, [, bits]) => sum + 2 ** (size - bits), 0)
  const of = (kind: 'ipv4' | 'ipv6') => apart.filter(([network]) => network.kind() === kind)
  // A range around all public addresses is too large for any measure.
  const inPublic = apart.filter((range) => isInside(range, PUBLIC_IPV6, true))
  const tooMany =
    count(32, of('ipv4')) >= EVERYBODY * 2 ** 32 ||
    count(128, of('ipv6')) >= EVERYBODY * 2 ** 128 ||
    count(128, inPublic) >= EVERYBODY_IN_PUBLIC_IPV6
  return tooMany ? undefined : ranges
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
