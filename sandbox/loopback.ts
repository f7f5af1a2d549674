import { isIPv4, type Server } from 'node:net'

/** Whether an address is on this machine. Only literal addresses count, because a name may resolve to any address. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'))
}

/** The URL of a listening server, without a slash at the end. */
export function urlOf(scheme: 'http' | 'https', server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a port')
  const authority = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `${scheme}://${authority}:${address.port}`
}
