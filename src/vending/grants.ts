import { LRUCache } from 'lru-cache'
import { requireConditions } from '../policy/allow.ts'
import { claimAt } from '../policy/claim.ts'
import { fillIn, type Grant, type GrantRequest, type GrantSettings } from '../policy/grant.ts'
import type { Template } from '../policy/template.ts'

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

/** Some 20 MB with common policies and tokens. */
const MAX_REMEMBERED = 4096
/**
 * Once that many are remembered, one in so many takes the place of another. Were it each, more callers in turns than can be
 * remembered would push each other out, and all would pay for remembering what nobody finds again: with a million sessions
 * that was a fifth of the throughput.
 */
const ADMITTED = 1 / 16

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
  const remembered = new LRUCache<string, Granted & Readonly<{ template: Template }>>({ max: maxRemembered })
  return (template, request) => {
    const asked = nameOf(template, request)
    const known = remembered.get(asked)
    // A template that was loaded anew is another one.
    if (known?.template === template) {
      requireConditions(template, request.caller, request.at)
      return known
    }
    const grant = fillIn(template, request, settings)
    const key = keyOf(grant)
    if (known || remembered.size < maxRemembered || random() < ADMITTED) {
      remembered.set(asked, { template, grant, key, again: true })
    }
    return { grant, key, again: false }
  }
}

/** Everything that a grant is made of, each part behind its length, so that parts cannot run together. */
function nameOf({ name, plan }: Template, { caller, params, durationSeconds }: GrantRequest): string {
  let all = name + part(caller.issuer) + part(caller.subject) + part(durationSeconds)
  for (const { path } of plan.claims) all += part(claimAt(caller.claims, path))
  if (params) for (const param of Object.keys(params)) all += part(param) + part(params[param])
  return all
}

/** Texts apart from numbers. What is neither is in no grant, and need only be apart from both. */
function part(value: unknown): string {
  if (typeof value === 'string') return `,${value.length}:${value}`
  return typeof value === 'number' ? `,${value}` : ';'
}
