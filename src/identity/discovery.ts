import { isIP } from 'node:net'
import { z } from 'zod'
import { addressFaults } from './address-faults.ts'
import { type FetchJson, KeyServerError } from './key-server.ts'

const documentSchema = z.looseObject({ issuer: z.string(), jwks_uri: z.string() })

type Trust = Readonly<{
  issuer: string
  /** Where the operator lets key sets lie, beside the issuer's own host. */
  origins: readonly string[]
  sandbox: boolean
}>

/**
 * OpenID Connect Discovery 1.0: the address of the issuer's key set. The document must name the very issuer that it was
 * fetched for.
 * @throws {OutboundError | KeyServerError}
 */
export async function discover(fetchJson: FetchJson, trust: Trust): Promise<string> {
  const { issuer } = trust
  const document = await fetchJson(`${issuer.replace(/\/$/u, '')}/.well-known/openid-configuration`)
  const parsed = documentSchema.safeParse(document)
  if (!parsed.success) throw new KeyServerError('no_jwks_uri')
  if (parsed.data.issuer !== issuer) throw new KeyServerError('other_issuer')
  if (!isAllowedKeyAddress(parsed.data.jwks_uri, trust)) throw new KeyServerError('address_refused')
  return parsed.data.jwks_uri
}

/**
 * Whether keys may be fetched from an address that the issuer chose. An issuer that could name any would make this
 * service ask hosts that only it can reach: a metadata service, a sidecar, the next pod.
 *
 * Scheme and port must be the issuer's, and the host the issuer's or one under it. A sibling (`keys.example.com` for
 * `login.example.com`) is not enough: without a list of public suffixes nobody can tell it from `evil.co.uk` for
 * `example.co.uk`. The operator lists those origins.
 */
export function isAllowedKeyAddress(address: string, { issuer, origins, sandbox }: Trust): boolean {
  if (addressFaults(address, { query: true }).some(({ weak }) => !(weak && sandbox))) return false
  const url = new URL(address)
  if (origins.includes(url.origin)) return true
  const own = new URL(issuer)
  if (url.origin === own.origin) return true
  // No name lies under an IP address.
  const isUnder = isIP(own.hostname.replace(/^\[|\]$/gu, '')) === 0 && url.hostname.endsWith(`.${own.hostname}`)
  return isUnder && url.protocol === own.protocol && url.port === own.port
}
