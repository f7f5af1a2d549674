import { isIPv4 } from 'node:net'

/** Whether an address is on this machine. Only literal addresses count, because a name may resolve to any address. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'))
}
