import { LRUCache } from 'lru-cache'
import { requireConditions } from '../policy/claims/allow.ts'
import { claimAt } from '../policy/claims/claim.ts'
import { fillIn, type Grant, type GrantRequest, type GrantSettings } from '../policy/grant/grant.ts'
import type { Template } from '../policy/template/template.ts'

/**
 * A grant, and its name in the caches. `again` when it is the very object that was given out before, so that it is worth
 * keeping what is made of it.
 */
export type Granted = Readonly<{ grant: Grant; key: string; again: boolean }>

/** @throws {VendError} as {@link fillIn} does */
export type Grants = (template: Template, request: GrantRequest) => Granted

type Dependencies = Readonly<{
  settings: GrantSettings
  /** The name of a grant in the caches: different for different grants. */
  keyOf: (grant: Grant) => string
  maxRemembered?: number
  /** From 0 to 1. */
  random?: () => number
}>

/** Some 20 MB with common policies and tokens, when each asks for one thing. */
const MAX_REMEMBERED = 4096
/** Who asks for more than so many things in turns pays for filling in. */
const MAX_OF_ONE_CALLER = 4
/**
 * Once that many callers are remembered, one in so many takes the place of another. Were it each, more callers in turns
 * than can be remembered would push each other out, and all would pay for remembering what nobody finds again: with a
 * million sessions that was a fifth of the throughput.
 */
const ADMITTED = 1 / 16

/** With all that it was made of beside the settings. */
type Remembered = Granted &
  Pick<GrantRequest, 'params' | 'durationSeconds' | 'mostSeconds' | 'sessionLabel'> &
  Readonly<{ template: Template; issuer: string; claims: readonly unknown[] }>

/**
 * Fills templates in, and remembers the last: for callers who come back, filling in and hashing would be most of what a
 * vend costs. The same request gives the same grant, but for the conditions, which may look at the date and at claims that
 * the grant has nothing of: they are checked each time.
 */
export function createGrants({
  settings,
  keyOf,
  maxRemembered = MAX_REMEMBERED,
  random = Math.random,
}: Dependencies): Grants {
  // By subject, which is a text that is there already: making one of all parts took longer than comparing them.
  const remembered = new LRUCache<string, readonly Remembered[]>({ max: maxRemembered })
  return (template, request) => {
    const { issuer, subject, claims } = request.caller
    const ofCaller = remembered.get(subject)
    const known = ofCaller?.find((one) => isSame(one, template, request))
    if (known) {
      requireConditions(template, request.caller, request.at)
      return known
    }
    const grant = fillIn(template, request, settings)
    const key = keyOf(grant)
    if (ofCaller || remembered.size < maxRemembered || random() < ADMITTED) {
      const values = template.plan.claims.map(({ path }) => claimAt(claims, path))
      const { params, durationSeconds, mostSeconds, sessionLabel } = request
      const asked = { params, durationSeconds, mostSeconds, sessionLabel }
      const one = { template, issuer, claims: values, ...asked, grant, key, again: true }
      remembered.set(subject, [one, ...(ofCaller ?? [])].slice(0, MAX_OF_ONE_CALLER))
    }
    return { grant, key, again: false }
  }
}

/** Whether all that a grant is made of is the same. A template that was loaded anew is another one. */
function isSame(one: Remembered, template: Template, request: GrantRequest): boolean {
  const { caller, params, durationSeconds, mostSeconds, sessionLabel } = request
  return (
    one.template === template &&
    one.issuer === caller.issuer &&
    one.durationSeconds === durationSeconds &&
    one.mostSeconds === mostSeconds &&
    one.sessionLabel === sessionLabel &&
    template.plan.claims.every(({ path }, index) => one.claims[index] === claimAt(caller.claims, path)) &&
    isSameRecord(one.params, params)
  )
}

function isSameRecord(one: GrantRequest['params'] = {}, other: GrantRequest['params'] = {}): boolean {
  if (one === other) return true
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && one[name] === other[name])
  )
}
