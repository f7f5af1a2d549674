import { VendError } from '../errors.ts'
import type { Caller } from '../identity/caller.ts'
import type { Catalogue } from '../policy/check/catalogue.ts'
import { type Explanation, explain, type Question } from '../policy/check/explain.ts'
import { unmetCondition } from '../policy/claims/allow.ts'
import type { Grant, GrantRequest, GrantSettings } from '../policy/grant/grant.ts'
import type { Template } from '../policy/template/template.ts'
import type { CredentialCache, Found } from '../sessions/credential-cache.ts'
import { createGrants, type Granted } from './grants.ts'
import { mostSecondsFor, withinToken } from './token-bound.ts'

/** What a caller asks for. */
export type VendRequest = Readonly<{
  policy: string
  params?: Readonly<Record<string, string | number>> | undefined
  /** Seconds. */
  durationSeconds?: number | undefined
  /** Seconds that the session must still have, at most half of its length. */
  minValiditySeconds?: number | undefined
  /** Follows the caller's own name in the audit of JD Cloud. Another label is another session. */
  sessionLabel?: string | undefined
}>

/** The credentials, the grant that they were paid out for, and who had them. */
export type Vended = Found & Pick<Granted, 'grant' | 'again'>

/** The counter: caller and request in, credentials out. */
export type Vending = Readonly<{
  /**
   * What is at hand comes without a promise. `deadlineMs` is how long this caller can wait, if that is less than others do.
   * @throws {VendError} any code below 401 and from 403 up
   */
  vend(caller: Caller, request: VendRequest, deadlineMs?: number): Vended | Promise<Vended>
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
  cache: CredentialCache
  /** The name of a grant in the cache: different for different grants. */
  keyOf: (grant: Grant) => string
  /** Least that a session has left, and most that a vend takes. */
  minValiditySeconds: number
  deadlineMs: number
  /** Whether no session may end after the token that it was vended for. */
  boundToToken?: boolean
  /** Epoch milliseconds. */
  now: () => number
}>

/** Authorises, fills in, and has the cache bring the session. */
export function createVending({
  catalogue,
  settings,
  cache,
  keyOf,
  now,
  boundToToken = false,
  ...limits
}: Dependencies): Vending {
  const grants = createGrants({ settings, keyOf })
  const find = (policy: string) => {
    const template = catalogue().get(policy)
    if (!template) throw new VendError('policy_not_found')
    return template
  }
  const requestOf = (
    caller: Caller,
    request: Pick<VendRequest, 'params' | 'durationSeconds' | 'sessionLabel'>,
  ): GrantRequest => {
    const at = now()
    return { caller, ...request, at, mostSeconds: boundToToken ? mostSecondsFor(caller, at) : undefined }
  }
  return {
    vend(
      caller,
      { policy, params, durationSeconds, minValiditySeconds, sessionLabel },
      deadlineMs = limits.deadlineMs,
    ) {
      const granted = grants(find(policy), requestOf(caller, { params, durationSeconds, sessionLabel }))
      const validitySeconds = Math.max(limits.minValiditySeconds, checkValidity(minValiditySeconds, granted.grant))
      const waitMs = Math.min(deadlineMs, limits.deadlineMs)
      const need = { owner: caller, validityMs: validitySeconds * 1000, deadlineMs: waitMs }
      const found = cache.find(granted.key, granted.grant, need)
      const vended = (one: Found) => vendedOf(granted, boundToToken ? withinToken(one, caller) : one)
      return found instanceof Promise ? found.then(vended) : vended(found)
    },
    explain: (caller, { policy, ...request }, question) =>
      explain(find(policy), requestOf(caller, request), settings, question),
    policiesFor: (caller) => {
      const at = now()
      return [...catalogue().values()].filter((template) => unmetCondition(template, caller, at) === undefined)
    },
  }
}

const vendedOf = ({ grant, again }: Granted, { credentials, from }: Found): Vended => ({
  credentials,
  from,
  grant,
  again,
})

/** From its second half on a session is renewed anyway: more could be had only by asking STS over and over. */
function checkValidity(asked: number | undefined, { durationSeconds }: Grant): number {
  const most = Math.floor(durationSeconds / 2)
  if (asked === undefined || asked <= most) return asked ?? 0
  const detail = `must be at most ${most}, half of the session`
  throw new VendError('invalid_request', { errors: [{ pointer: '/minValiditySeconds', detail }] })
}
