import { VendError } from '../errors.ts'
import type { Caller } from '../identity/caller.ts'
import { unmetCondition } from '../policy/allow.ts'
import type { Catalogue } from '../policy/catalogue.ts'
import { fillIn, type Grant, type GrantSettings } from '../policy/grant.ts'
import type { Template } from '../policy/template.ts'
import type { CredentialSource, Credentials } from '../sts/credentials.ts'

/** What a caller asks for. */
export type VendRequest = Readonly<{
  policy: string
  params?: Readonly<Record<string, string | number>> | undefined
  /** Seconds. */
  durationSeconds?: number | undefined
}>

/** The credentials, and the grant that they were paid out for. */
export type Vended = Readonly<{ credentials: Credentials; grant: Grant }>

/** The counter: caller and request in, credentials out. */
export type Vending = Readonly<{
  /** @throws {VendError} any code below 401 and from 403 up */
  vend(caller: Caller, request: VendRequest): Promise<Vended>
  /** The templates whose conditions the caller meets. */
  policiesFor(caller: Caller): readonly Template[]
}>

type Dependencies = Readonly<{ catalogue: Catalogue; settings: GrantSettings; source: CredentialSource }>

/** Authorises, fills in, and asks the source; whoever wants a cache or retries puts them into the source. */
export function createVending({ catalogue, settings, source }: Dependencies): Vending {
  return {
    async vend(caller, { policy, ...request }) {
      const template = catalogue.get(policy)
      if (!template) throw new VendError('policy_not_found')
      const grant = fillIn(template, { caller, ...request }, settings)
      return { credentials: await source.assumeRole(grant), grant }
    },
    policiesFor: (caller) =>
      [...catalogue.values()].filter((template) => unmetCondition(template, caller) === undefined),
  }
}
