import { VendError } from '../errors.ts'
import type { Caller } from '../identity/caller.ts'
import { unmetCondition } from '../policy/allow.ts'
import type { Catalogue } from '../policy/catalogue.ts'
import { type Explanation, explain, type Question } from '../policy/explain.ts'
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
  /**
   * What a vend would give, or why not, without asking the source.
   * @throws {VendError} `policy_not_found`, or `invalid_request` for a question that makes no sense
   */
  explain(caller: Caller, request: VendRequest, question?: Question): Explanation
  /** The templates whose conditions the caller meets. */
  policiesFor(caller: Caller): readonly Template[]
}>

type Dependencies = Readonly<{
  /** The templates of this moment. */
  catalogue: () => Catalogue
  settings: GrantSettings
  source: CredentialSource
  /** Epoch milliseconds. */
  now?: () => number
}>

/** Authorises, fills in, and asks the source; whoever wants a cache or retries puts them into the source. */
export function createVending({ catalogue, settings, source, now = Date.now }: Dependencies): Vending {
  const find = (policy: string) => {
    const template = catalogue().get(policy)
    if (!template) throw new VendError('policy_not_found')
    return template
  }
  return {
    async vend(caller, { policy, ...request }) {
      const grant = fillIn(find(policy), { caller, ...request, at: now() }, settings)
      return { credentials: await source.assumeRole(grant), grant }
    },
    explain: (caller, { policy, ...request }, question) =>
      explain(find(policy), { caller, ...request, at: now() }, settings, question),
    policiesFor: (caller) => {
      const at = now()
      return [...catalogue().values()].filter((template) => unmetCondition(template, caller, at) === undefined)
    },
  }
}
