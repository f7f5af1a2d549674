import { isIP } from 'node:net'

/**
 * What an address is counted as: an IPv4 address, or the /64 of an IPv6 one, because whoever has one address has the
 * whole /64, and a new one for every request. Some load balancers append the port. What is no address at all can only
 * come from a trusted proxy, and is one key, so that it cannot be many.
 *
 * @fastify/rate-limit has a function for this, which takes four times as long, and more than the check of an HMAC.
 */
export function addressKey(ip: string | undefined = ''): string {
  if (isIP(ip) === 4) return ip
  // A socket that listens on :: shows IPv4 as ::ffff:192.0.2.1. A zone says on which of our links somebody is, not who.
  const address = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/iu.exec(ip)?.[1] ?? ip.split('%')[0] ?? ''
  const version = isIP(address)
  if (version !== 6) return version === 4 ? address : 'unknown'
  const groups = groupsOf(address)
  if (groups.slice(0, 6).join() === '0,0,0,0,0,65535') return dotted(groups.slice(6))
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** The eight numbers of a well-formed IPv6 address, however it is written. */
function groupsOf(address: string): number[] {
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/u, (_, ...[a, b, c, d]: string[]) => {
    const pair = (high = '', low = '') => (Number(high) * 256 + Number(low)).toString(16)
    return `${pair(a, b)}:${pair(c, d)}`
  })
  const [left = [], right = []] = plain
    .split('::')
    .map((half) => (half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16))))
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}

function dotted(groups: readonly number[]): string {
  return groups.flatMap((group) => [group >> 8, group & 255]).join('.')
}
