import { VendError } from '../../errors.ts'
import { requireConditions } from '../claims/allow.ts'
import { claimAt, quoteClaim } from '../claims/claim.ts'
import { claimText, type NamedClaim, ruleFor } from '../claims/transform.ts'
import { dateText } from '../template/date.ts'
import type { Template } from '../template/template.ts'
import type { Part } from '../template/variables.ts'
import { paramTexts } from './params.ts'
import { sessionName } from './session-name.ts'
import { sessionPolicy } from './session-policy.ts'
import { refuseValue } from './unsafe-value.ts'

/** A template filled in for one caller: everything that STS is asked for, and what the answer says about it. */
export type Grant = Readonly<{
  template: string
  /** The name of the target that the session is for. */
  target: string
  roleSessionName: string
  /** The session policy, as the exact JSON text for STS. */
  policy: string
  durationSeconds: number
  actions: readonly string[]
  resources: readonly string[]
  /** Prefixes of the keys that the grant opens; `''` for a whole bucket. */
  prefixes: readonly string[]
}>

/** A target: its name, the values of `${account}`, `${bucket}` and `${region}`, and the limits of its grants. */
export type GrantSettings = Readonly<{
  target: string
  account: string
  bucket: string
  region: string
  /** STS has no shorter session. */
  minSessionSeconds: number
  maxSessionSeconds: number
  severalIssuers: boolean
}>

/** A caller's request. `params` and `durationSeconds` are unchecked; `fillIn` checks them against the template. */
export type GrantRequest = Readonly<{
  caller: Readonly<{ issuer: string; subject: string; claims: Readonly<Record<string, unknown>> }>
  params?: Readonly<Record<string, string | number>> | undefined
  /** From STS's shortest to the template's value, which is the default. */
  durationSeconds?: number | undefined
  /** Cuts the session to this length; the request is refused if STS has none so short. */
  mostSeconds?: number | undefined
  /** Follows the caller's own name in the name of the session; it opens nothing. */
  sessionLabel?: string | undefined
  /** Epoch milliseconds; default: now. */
  at?: number | undefined
}>

/**
 * Checks that the caller may have the template, and fills it in. The same request at the same time gives the same grant.
 * @throws {VendError} `policy_not_allowed`, `invalid_request`, `unsafe_value` or `policy_too_large`
 */
export function fillIn(template: Template, request: GrantRequest, settings: GrantSettings): Grant {
  // One moment for the whole grant, or a day could end between two parts of a date.
  const { caller, params = {}, at = Date.now() } = request
  requireConditions(template, caller, at)
  const values: Values = { caller, settings, at, params: paramTexts(template, params, caller.claims) }
  const duration = checkDuration(template, request, settings)

  // Values meet strings only, never JSON text: none can become a variable, a second resource or JSON syntax.
  const Statement = template.statements.map(({ Sid, effect, actions, resources }) => ({
    Sid,
    Effect: effect,
    Action: actions,
    Resource: resources.map((parts) => fillResource(parts, values)),
  }))
  return {
    template: template.name,
    target: settings.target,
    roleSessionName: sessionName(template.name, caller, settings.severalIssuers, request.sessionLabel),
    ...sessionPolicy(Statement),
    durationSeconds: duration,
  }
}

/**
 * Checks that the caller's claims can enter the resources, whatever the parameters are.
 * @throws {VendError} `unsafe_value`
 */
export function requireSafeClaims({ statements }: Template, { claims, issuer }: GrantRequest['caller']): void {
  for (const part of statements.flatMap(({ resources }) => resources.flat())) {
    if (part.kind === 'jwt') claimTextOf(part, claims, issuer)
  }
}

/** All that parts of a resource are filled in with. */
type Values = Readonly<{
  caller: GrantRequest['caller']
  settings: GrantSettings
  params: ReadonlyMap<string, string>
  at: number
}>

function fillResource(parts: readonly Part[], values: Values): string {
  let text = ''
  for (const part of parts) text += textFor(part, values)
  return text
}

function textFor(part: Part, { caller, settings, params, at }: Values): string {
  switch (part.kind) {
    case 'literal':
      return part.text
    case 'account':
    case 'bucket':
    case 'region':
      return settings[part.kind]
    case 'issuer':
      return caller.issuer
    case 'jwt':
      return claimTextOf(part, caller.claims, caller.issuer)
    case 'param':
      return params.get(part.name) ?? refuseValue(`parameter "${part.name}"`, undefined)
    case 'date':
      return dateText(part.unit, at)
  }
}

function claimTextOf(part: NamedClaim, claims: GrantRequest['caller']['claims'], issuer: string): string {
  const value = claimAt(claims, part.path)
  return claimText(value, part.transform, issuer) ?? refuseClaim(part, value, issuer)
}

/** The log alone tells the remedy: callers cannot change a template. */
function refuseClaim({ claim, transform }: NamedClaim, value: unknown, issuer: string): never {
  const hashable = transform === undefined && claimText(value, 'hash', issuer) !== undefined
  const remedy = `claim ${quoteClaim(claim)} has characters that a path cannot have, or too many; use \${jwt:${claim}|hash}`
  return refuseValue(`claim ${quoteClaim(claim)}`, value, ruleFor(transform), hashable ? { remedy } : undefined)
}

function checkDuration(template: Template, request: GrantRequest, settings: GrantSettings): number {
  const { durationSeconds: asked, mostSeconds = Number.POSITIVE_INFINITY } = request
  const { minSessionSeconds: least } = settings
  const most = Math.min(template.durationSeconds, settings.maxSessionSeconds)
  const duration = asked ?? most
  if (!Number.isInteger(duration) || duration < least || duration > most) {
    const detail =
      duration > most ? `must be at most ${most} for this policy` : `must be whole seconds, ${least} or more`
    throw new VendError('invalid_request', { errors: [{ pointer: '/durationSeconds', detail }] })
  }
  if (mostSeconds < least) {
    const detail = `claim "exp" is too near: no session may end after its token, and none is shorter than ${least / 60} minutes; ask with a newer token`
    throw new VendError('policy_not_allowed', { detail })
  }
  return Math.min(duration, mostSeconds)
}
