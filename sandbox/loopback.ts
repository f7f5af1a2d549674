import { isIPv4 } from 'node:net'

/** Whether an address is one of this machine's own: literals only, since a name may resolve to anything. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'))
}
