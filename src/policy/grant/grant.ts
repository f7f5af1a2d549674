import { pointerStep, VendError } from '../../errors.ts'
import { requireConditions } from '../claims/allow.ts'
import { claimAt } from '../claims/claim.ts'
import { MAX_SESSION_POLICY_BYTES } from '../language/document.ts'
import { fill, type Pieces, type Variable } from '../template/plan.ts'
import type { Template } from '../template/template.ts'
import { sessionName } from './session-name.ts'
import { policyValue, VALUE_RULE } from './value.ts'

/** JD Cloud's STS has no shorter session. */
export const MIN_SESSION_SECONDS = 3600

/** A template filled in for one caller: all that STS is asked for, and what the answer tells about it. */
export type Grant = Readonly<{
  template: string
  roleSessionName: string
  /** The session policy, as the very JSON text that is sent. */
  policy: string
  durationSeconds: number
  actions: readonly string[]
  /** JRNs, filled in. */
  resources: readonly string[]
  /** What keys start with that the grant opens; `''` for a whole bucket. */
  prefixes: readonly string[]
}>

/** What fills in `${account}`, `${bucket}` and `${region}`, and bounds every grant. */
export type GrantSettings = Readonly<{
  account: string
  bucket: string
  region: string
  maxSessionSeconds: number
  severalIssuers: boolean
}>

/** Who asks for what. `params` and `durationSeconds` are as the caller sent them, checked here against the template. */
export type GrantRequest = Readonly<{
  caller: Readonly<{ issuer: string; subject: string; claims: Readonly<Record<string, unknown>> }>
  params?: Readonly<Record<string, string | number>> | undefined
  /** Seconds, from 3600 to the template's; the template's when left out. */
  durationSeconds?: number | undefined
  /** Seconds: a session that would be longer is cut to this, and the request refused where none is that short. */
  mostSeconds?: number | undefined
  /** Follows the caller's own name in the name of the session; it opens nothing. */
  sessionLabel?: string | undefined
  /** When, in epoch milliseconds; now when left out. */
  at?: number | undefined
}>

/**
 * Checks that the caller may have the template and fills it in. Pure: the same request gives the same grant.
 * @throws {VendError} `policy_not_allowed`, `invalid_request`, `unsafe_value` or `policy_too_large`
 */
export function fillIn(template: Template, request: GrantRequest, settings: GrantSettings): Grant {
  const { caller, params = {}, at } = request
  requireConditions(template, caller, at)
  checkParams(template, params)
  const duration = checkDuration(template, request, settings)

  const { plan } = template
  const values: string[] = []
  for (const variable of plan.variables) values.push(valueFor(variable, template, request, settings))
  const policy = fill(plan.policy, values)
  if (Buffer.byteLength(policy) > MAX_SESSION_POLICY_BYTES) {
    throw new VendError('policy_too_large', { detail: `it would be over ${MAX_SESSION_POLICY_BYTES} bytes` })
  }
  return {
    template: template.name,
    roleSessionName: sessionName(template.name, caller, settings.severalIssuers, request.sessionLabel),
    policy,
    durationSeconds: duration,
    actions: plan.actions,
    resources: fillAll(plan.resources, values),
    prefixes: fillAll(plan.prefixes, values),
  }
}

function fillAll(all: readonly Pieces[], values: readonly string[]): readonly string[] {
  const texts: string[] = []
  for (const pieces of all) texts.push(fill(pieces, values))
  return texts.length > 1 ? [...new Set(texts)] : texts
}

function valueFor(
  variable: Variable,
  template: Template,
  { caller, params = {} }: GrantRequest,
  settings: GrantSettings,
): string {
  switch (variable.kind) {
    case 'account':
    case 'bucket':
    case 'region':
      return settings[variable.kind]
    case 'issuer':
      return caller.issuer
    case 'jwt':
      return (
        policyValue(claimAt(caller.claims, variable.path)) ??
        refuseValue(`claim "${variable.claim}"`, claimAt(caller.claims, variable.path))
      )
    case 'param': {
      const { name } = variable
      return policyValue(params[name], template.params[name]?.kind) ?? refuseValue(`parameter "${name}"`, params[name])
    }
  }
}

function refuseValue(what: string, value: unknown): never {
  const rule = typeof value === 'object' || typeof value === 'boolean' ? 'a text or a whole number' : VALUE_RULE
  throw new VendError('unsafe_value', { detail: `${what} must be ${rule}` })
}

function checkParams(template: Template, params: Readonly<Record<string, string | number>>): void {
  const errors = []
  for (const name of Object.keys(params)) {
    if (!Object.hasOwn(template.params, name))
      errors.push({ pointer: pointerTo(name), detail: 'is not a parameter of this policy' })
  }
  for (const [name, { pattern, kind }] of Object.entries(template.params)) {
    // What must not enter a policy is told as that, when it is filled in. It also never meets the pattern, which could
    // take a long time over a long value.
    const value = policyValue(params[name], kind)
    if (!Object.hasOwn(params, name)) errors.push({ pointer: pointerTo(name), detail: 'is required' })
    else if (value !== undefined && pattern && !pattern.test(value)) {
      errors.push({ pointer: pointerTo(name), detail: `does not match ${pattern.source}` })
    }
  }
  if (errors.length > 0) throw new VendError('invalid_request', { errors })
}

const pointerTo = (param: string) => `/params/${pointerStep(param)}`

function checkDuration(template: Template, request: GrantRequest, settings: GrantSettings): number {
  const { durationSeconds: asked, mostSeconds = Number.POSITIVE_INFINITY } = request
  const most = Math.min(template.durationSeconds, settings.maxSessionSeconds)
  const duration = asked ?? most
  if (!Number.isInteger(duration) || duration < MIN_SESSION_SECONDS || duration > most) {
    const detail = duration > most ? `must be at most ${most} for this policy` : 'must be whole seconds, 3600 or more'
    throw new VendError('invalid_request', { errors: [{ pointer: '/durationSeconds', detail }] })
  }
  if (mostSeconds < MIN_SESSION_SECONDS) throw new VendError('policy_not_allowed', { detail: TOKEN_ENDS_TOO_SOON })
  return Math.min(duration, mostSeconds)
}

const TOKEN_ENDS_TOO_SOON =
  'claim "exp" is too near: no session may end after its token, and none is shorter than an hour; ask with a newer token'
