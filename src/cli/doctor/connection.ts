import type { OutboundError } from '../../lib/outbound.ts'
import { failed, type Line } from './check.ts'

/** Why a server was not reached, and the next step. */
type Words = Readonly<{ why: string; remedy: string; settings?: readonly string[] }>

const OWN_AUTHORITY: Words = {
  why: 'its certificate is of an authority that is not trusted here',
  remedy: 'name the authority of a private network, or of a proxy that inspects TLS, in EXTRA_CA_FILE',
  settings: ['EXTRA_CA_FILE'],
}
const NO_NAME: Words = { why: 'its name is unknown', remedy: 'check the address, and the DNS of this machine' }
const TOO_LATE: Words = {
  why: 'it did not answer in time',
  remedy: 'check firewall, route and proxy between this machine and the server',
}

/** By Node's, OpenSSL's and undici's codes. */
const CODES: Readonly<Record<string, Words>> = {
  CERT_HAS_EXPIRED: { why: 'its certificate has expired', remedy: 'renew it, or correct the clock of this machine' },
  CERT_NOT_YET_VALID: { why: 'its certificate is not valid yet', remedy: 'correct the clock of this machine' },
  DEPTH_ZERO_SELF_SIGNED_CERT: OWN_AUTHORITY,
  EAI_AGAIN: NO_NAME,
  ECONNREFUSED: {
    why: 'nothing listens there',
    remedy: 'check host and port of the address, and that the server runs',
  },
  ECONNRESET: { why: 'it hung up', remedy: 'check that address and scheme are right, and what stands in between' },
  EHOSTUNREACH: { why: 'no route leads there', remedy: 'check the route and the firewall of this machine' },
  ENETUNREACH: { why: 'no route leads there', remedy: 'check the route and the firewall of this machine' },
  ENOTFOUND: NO_NAME,
  EPROTO: { why: 'it does not speak TLS', remedy: 'check the port, and whether the scheme is right' },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    why: 'it does not speak TLS',
    remedy: 'check the port, and whether the scheme is right',
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    why: 'its certificate is for another host',
    remedy: 'use the name that the certificate has, or check who answers at this address',
  },
  NO_CERTIFICATES: {
    why: 'the file of its authorities has no certificate',
    remedy: 'write the authorities into the file in PEM',
  },
  SELF_SIGNED_CERT_IN_CHAIN: OWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: OWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: OWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: OWN_AUTHORITY,
}

const PROXY: Words = {
  why: 'the proxy did not connect to it',
  remedy:
    'check the address and the password of the proxy, and whether it lets this host through; see "A proxy" in docs/configuration.md',
  settings: ['HTTPS_PROXY', 'NO_PROXY'],
}

/** The same words for a code that something other than an outbound call brought, such as ioredis. */
export function connectionWords(code: string): Words {
  if (/TIMEOUT$|TIMEDOUT$/u.test(code)) return TOO_LATE
  return CODES[code] ?? { why: 'the connection failed', remedy: 'check the address and the network of this machine' }
}

/** In words, with the code for whoever looks it up. */
export function outboundWords({ failure, code }: Pick<OutboundError, 'failure' | 'code'>): Words {
  const words = wordsFor(failure, code)
  return { ...words, why: `${words.why} (${code})` }
}

function wordsFor(failure: OutboundError['failure'], code: string): Words {
  switch (failure) {
    case 'timeout':
      return TOO_LATE
    case 'proxy':
      return PROXY
    case 'too_large':
      return { why: 'it answered with too much', remedy: 'check who answers at this address' }
    case 'network':
      return connectionWords(code)
  }
}

/** A failed line about a server that was not reached. */
export function unreached(address: string, error: OutboundError, settings: readonly string[]): Line {
  const words = outboundWords(error)
  return failed(`cannot reach ${address}: ${words.why}`, words.remedy, words.settings ?? settings)
}
