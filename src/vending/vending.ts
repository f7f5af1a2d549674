import { VendError } from '../errors.ts'
import type { Caller } from '../identity/caller.ts'
import type { Clock } from '../lib/clock.ts'
import { type Tracing, untraced } from '../lib/tracing.ts'
import type { Catalogue } from '../policy/check/catalogue.ts'
import { type Explanation, explain, type Question } from '../policy/check/explain.ts'
import { unmetCondition } from '../policy/claims/allow.ts'
import { fillIn, type Grant, type GrantRequest, type GrantSettings } from '../policy/grant/grant.ts'
import { type Restriction, restrict } from '../policy/grant/restrict.ts'
import { reachesTarget, type Targets, targetFor } from '../policy/grant/target.ts'
import type { Template } from '../policy/template/template.ts'
import type { Session } from '../sessions/session.ts'
import type { SessionSource } from '../sessions/session-source.ts'
import { namingTarget } from './naming-target.ts'
import { mostSecondsFor, mustEndWithToken } from './token-bound.ts'

/** A caller's request. */
export type VendRequest = Readonly<{
  policy: string
  params?: Readonly<Record<string, string | number>> | undefined
  /** Seconds. */
  durationSeconds?: number | undefined
  /** Whether the shortest session will do for a caller who asked for a shorter one. */
  orShortest?: boolean | undefined
  /** Seconds that the session must still have, at most half of its length. */
  minValiditySeconds?: number | undefined
  /** Whether only a new session will do, since the store refuses the one that the caller has. */
  fresh?: boolean | undefined
  /** Follows the caller's own name in the audit of JD Cloud. Another label is another session. */
  sessionLabel?: string | undefined
  /** Leaves of the grant what is in it too. */
  restrictTo?: Restriction | undefined
}>

/** A session, and the grant that it was paid out for. */
export type Vended = Readonly<{ grant: Grant; session: Session }>

/** The counter: caller and request in, credentials out. */
export type Vending = Readonly<{
  /**
   * `deadlineMs` is how long this caller can wait, if that is less than others do.
   * @throws {VendError} any code below 401 and from 403 up
   */
  vend(caller: Caller, request: VendRequest, deadlineMs?: number): Promise<Vended>
  /**
   * Says what a vend would answer, or why it would not, without a call to STS.
   * @throws {VendError} `policy_not_found`, or `invalid_request` for a question that makes no sense
   */
  explain(caller: Caller, request: VendRequest, question?: Question): Explanation
  /** The templates whose conditions the caller meets. */
  policiesFor(caller: Caller): readonly Template[]
}>

type Dependencies = Readonly<{
  /** The templates of this moment. */
  catalogue: () => Catalogue
  targets: Targets<GrantSettings>
  sessions: SessionSource
  /** Least that a session has left, and most that a vend takes. */
  minValiditySeconds: number
  deadlineMs: number
  /** Whether no session may end after the token that it was vended for. */
  boundToToken?: boolean
  clock: Pick<Clock, 'now' | 'monotonic'>
  tracing?: Tracing | undefined
}>

/** Authorises, fills in, and fetches the session. */
export function createVending({
  catalogue,
  targets,
  sessions,
  clock,
  boundToToken = false,
  tracing = untraced,
  ...limits
}: Dependencies): Vending {
  const find = (policy: string) => {
    const template = catalogue().get(policy)
    if (!template) throw new VendError('policy_not_found')
    return template
  }
  const requestOf = (
    caller: Caller,
    request: Pick<VendRequest, 'params' | 'durationSeconds' | 'sessionLabel'>,
  ): GrantRequest => {
    const at = clock.now()
    return { caller, ...request, at, mostSeconds: boundToToken ? mostSecondsFor(caller, at) : undefined }
  }
  return {
    async vend(
      caller,
      { policy, params, durationSeconds, orShortest, minValiditySeconds, fresh, sessionLabel, restrictTo },
      deadlineMs = limits.deadlineMs,
    ) {
      const authorise = () => {
        const template = find(policy)
        const request = requestOf(caller, { params, durationSeconds, sessionLabel })
        const target = targetFor(template, request, targets)
        const whole = fillIn(template, orShortest ? notTooShort(request, target) : request, target)
        // All that follows knows the narrower grant alone.
        return restrict(whole, restrictTo, target)
      }
      const grant = tracing.span('authorise', authorise, { describe: grantAttributes })
      const validitySeconds = Math.max(limits.minValiditySeconds, checkValidity(minValiditySeconds, grant))
      const needs = {
        owner: caller,
        validityMs: validitySeconds * 1000,
        fresh,
        until: clock.monotonic() + Math.min(deadlineMs, limits.deadlineMs),
      }
      const ask = () => tracing.span('session', () => sessions.session(grant, needs), { describe: sessionAttributes })
      const session = await namingTarget(grant.target, ask)
      if (boundToToken) mustEndWithToken(session, caller)
      return { grant, session }
    },
    explain: (caller, { policy, restrictTo, ...request }, question) =>
      explain(find(policy), { ...requestOf(caller, request), restrictTo }, targets, question),
    policiesFor: (caller) => {
      const at = clock.now()
      return [...catalogue().values()].filter(
        (template) => unmetCondition(template, caller, at) === undefined && reachesTarget(template, caller),
      )
    },
  }
}

/** What a trace may tell of a grant and of its session. Names of sessions have the subject in them. */
export const grantAttributes = ({ template, target }: Grant) => ({
  'oss_vend.policy': template,
  'oss_vend.target': target,
})
export const sessionAttributes = ({ from }: Session) => ({ 'oss_vend.session.from': from })

const notTooShort = (request: GrantRequest, { minSessionSeconds }: GrantSettings): GrantRequest =>
  request.durationSeconds === undefined
    ? request
    : { ...request, durationSeconds: Math.max(request.durationSeconds, minSessionSeconds) }

/** From its second half on a session is renewed anyway: more could be had only by asking STS over and over. */
function checkValidity(asked: number | undefined, { durationSeconds }: Grant): number {
  const most = Math.floor(durationSeconds / 2)
  if (asked === undefined || asked <= most) return asked ?? 0
  const detail = `must be at most ${most}, half of the session`
  throw new VendError('invalid_request', { errors: [{ pointer: '/minValiditySeconds', detail }] })
}
