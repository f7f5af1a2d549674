import { pointerStep, VendError } from '../../errors.ts'
import { requireConditions } from '../claims/allow.ts'
import { claimAt } from '../claims/claim.ts'
import { MAX_SESSION_POLICY_BYTES, parseJrn } from '../language/document.ts'
import type { Template } from '../template/template.ts'
import type { Part } from '../template/variables.ts'
import { sessionName } from './session-name.ts'
import { policyValue, VALUE_RULE } from './value.ts'

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
  const { caller, params = {}, at } = request
  requireConditions(template, caller, at)
  checkParams(template, params)
  const duration = checkDuration(template, request, settings)

  // Values meet strings only, never JSON text: none can become a variable, a second resource or JSON syntax.
  const Statement = template.statements.map(({ Sid, effect, actions, resources }) => ({
    Sid,
    Effect: effect,
    Action: actions,
    Resource: resources.map((parts) => fillResource(parts, template, request, settings)),
  }))
  const policy = JSON.stringify({ Version: '3', Statement })
  if (Buffer.byteLength(policy) > MAX_SESSION_POLICY_BYTES) {
    throw new VendError('policy_too_large', { detail: `it would be over ${MAX_SESSION_POLICY_BYTES} bytes` })
  }
  const resources = [...new Set(Statement.flatMap(({ Resource }) => Resource))]
  return {
    template: template.name,
    target: settings.target,
    roleSessionName: sessionName(template.name, caller, settings.severalIssuers, request.sessionLabel),
    policy,
    durationSeconds: duration,
    actions: template.actions,
    resources,
    prefixes: [...new Set(resources.flatMap(keyPrefix))],
  }
}

/** The text between the bucket's `/` and the first `*`; nothing for a resource without a key. */
function keyPrefix(jrn: string): [string] | [] {
  const resource = parseJrn(jrn)?.resource ?? ''
  const slash = resource.indexOf('/')
  if (slash < 0) return []
  const star = resource.indexOf('*', slash)
  return [resource.slice(slash + 1, star < 0 ? undefined : star)]
}

function fillResource(
  parts: readonly Part[],
  template: Template,
  request: GrantRequest,
  settings: GrantSettings,
): string {
  let text = ''
  for (const part of parts) text += textFor(part, template, request, settings)
  return text
}

function textFor(
  part: Part,
  template: Template,
  { caller, params = {} }: GrantRequest,
  settings: GrantSettings,
): string {
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
      return (
        policyValue(claimAt(caller.claims, part.path)) ??
        refuseValue(`claim "${part.claim}"`, claimAt(caller.claims, part.path))
      )
    case 'param': {
      const { name } = part
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
    // An unsafe value never meets the pattern, which could run for long; filling in refuses it as `unsafe_value`.
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
