import { isLoopback } from '../lib/address.ts'

/** A fault of an issuer's configuration. A sandbox accepts `weak` ones. */
export type IssuerFault = Readonly<{ rule: string; remedy: string; weak?: true }>

/** Faults of an address that keys or credentials come from. Plain http is for loopback only. */
export function addressFaults(address: string, allow: Readonly<{ query: boolean }> = { query: false }): IssuerFault[] {
  if (!URL.canParse(address)) {
    return [{ rule: 'must be an absolute URL', remedy: 'write it with https:// and a host' }]
  }
  const url = new URL(address)
  const faults: IssuerFault[] = []
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    faults.push({ rule: 'must be an https URL', remedy: 'write it with https://' })
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    faults.push({
      rule: 'must not use plain http, except to loopback',
      remedy: 'use https: whoever sits on the path could otherwise answer in its place',
      weak: true,
    })
  }
  if (url.username || url.password || url.hash || (url.search && !allow.query)) {
    const extras = allow.query ? 'credentials or a fragment' : 'credentials, a query or a fragment'
    faults.push({ rule: `must not carry ${extras}`, remedy: 'write scheme, host, port, path' })
  }
  return faults
}
