import type { ConfiguredKey } from './configured-key.ts'
import { type Issuer, NONE } from './issuer.ts'
import type { KeySet } from './key-set.ts'
import type { KeySource } from './key-source.ts'

/** One of an issuer's sources of keys, with its configured key or with the keys that are fetched for it. */
export type TrustedKeys = Readonly<{
  source: KeySource
  key?: ConfiguredKey | undefined
  keySet?: KeySet | undefined
}>

/** An issuer with the keys of all its sources. */
export type TrustedIssuer = Readonly<{ issuer: Issuer; keys: readonly TrustedKeys[] }>

/**
 * Finds the one issuer that a token says it is from. The unverified `iss` does nothing but choose. A token without any
 * is for the issuer that has none; one with a strange `iss` is for nobody.
 */
export function createIssuerFinder(
  issuers: readonly TrustedIssuer[],
): (payload: Readonly<Record<string, unknown>>) => TrustedIssuer | undefined {
  const byName = new Map<unknown, TrustedIssuer>()
  for (const trusted of issuers) {
    const { issuer } = trusted.issuer
    if (issuer !== NONE) for (const { iss } of issuer) byName.set(iss, trusted)
  }
  const nameless = issuers.find(({ issuer }) => issuer.issuer === NONE)
  return (payload) => (Object.hasOwn(payload, 'iss') ? byName.get(payload.iss) : nameless)
}
