import { type Issuer, NONE } from './issuer.ts'
import { type KeyOrigin, keyIdentity } from './key-source.ts'
import type { TrustedIssuer } from './trusted-issuer.ts'

/** What is wrong when {@link sharesKey}. */
export const SHARED_KEY = 'an issuer or audience of none needs a key that no other issuer has'

type Holder = Readonly<{ issuer: Pick<Issuer, 'issuer' | 'audience'>; origins: readonly KeyOrigin[] }>

/**
 * Whether two issuers have a key in common, and one of them opts out of a check. Its key is then all that tells its
 * tokens from those that are not meant for this service.
 */
export function sharesKey(one: Holder, other: Holder): boolean {
  if (![one, other].some(({ issuer }) => issuer.issuer === NONE || issuer.audience === NONE)) return false
  const identities = other.origins.map(keyIdentity)
  return one.origins.map(keyIdentity).some((identity) => identity !== undefined && identities.includes(identity))
}

/** The same for a key that is to be an issuer's next one. */
export function wouldShareKey(trusted: TrustedIssuer, next: KeyOrigin, issuers: readonly TrustedIssuer[]): boolean {
  return issuers.some(
    (other) =>
      other !== trusted &&
      sharesKey(
        { issuer: trusted.issuer, origins: [next] },
        { issuer: other.issuer, origins: other.keys.map(({ key, source }) => key?.origin() ?? source.origin) },
      ),
  )
}
