import { pointerStep, VendError } from '../../errors.ts'
import { requireConditions } from '../claims/allow.ts'
import { claimAt, quoteClaim } from '../claims/claim.ts'
import type { Template } from '../template/template.ts'
import type { GrantRequest, GrantSettings } from './grant.ts'
import { paramTexts } from './params.ts'

/** Something for each target, by the target's name. */
export type Targets<S> = ReadonlyMap<string, S>

/**
 * The settings of the target that a request leads to. One target's settings stand for themselves.
 * @throws {VendError} `policy_not_allowed` for a claim, `invalid_request` for a parameter, that leads to no target; and
 * as `fillIn` for parameters, when one of them chooses
 */
export function settingsFor<S extends GrantSettings>(
  template: Template,
  request: Pick<GrantRequest, 'caller' | 'params' | 'at'>,
  settings: S | Targets<S>,
): S {
  if (!isTargets(settings)) return settings
  return targetFor(template, request, settings)
}

/**
 * What a request leads to, out of something for each target. A template without `target` has the only one.
 * @throws {VendError} as {@link settingsFor}
 */
export function targetFor<T>(
  template: Template,
  request: Pick<GrantRequest, 'caller' | 'params' | 'at'>,
  targets: Targets<T>,
): T {
  const { target: choice } = template
  const name = choice ? nameOf(choice, template, request) : targets.size === 1 ? [...targets.keys()][0] : undefined
  const found = name === undefined ? undefined : targets.get(name)
  // The linter refuses such a template, so this is a fault of ours, and no other target may stand in.
  if (found === undefined) throw new Error('the template has no target')
  return found
}

/** Whether the caller's claims lead to a target. What depends on a parameter is the caller's to choose. */
export const reachesTarget = ({ target }: Template, { claims }: GrantRequest['caller']): boolean =>
  target?.kind !== 'jwt' || lookUp(target.map, claimAt(claims, target.path)) !== undefined

function nameOf(
  choice: NonNullable<Template['target']>,
  template: Template,
  { caller, params = {}, at }: Pick<GrantRequest, 'caller' | 'params' | 'at'>,
): string {
  if (choice.kind === 'fixed') return choice.name
  // First, so that a refusal tells nothing about targets to a caller who may not have the template.
  requireConditions(template, caller, at)
  if (choice.kind === 'jwt') {
    const value = claimAt(caller.claims, choice.path)
    const name = lookUp(choice.map, value)
    if (name !== undefined) return name
    const detail = `claim ${quoteClaim(choice.claim)} ${value === undefined ? 'is missing' : 'leads to no storage'}`
    throw new VendError('policy_not_allowed', { detail })
  }
  // The parameter's own rules come first. With `oneOf`, what another tenant is called must not be told, nor that it is there.
  const name = choice.map.get(paramTexts(template, params, caller.claims).get(choice.name) ?? '')
  if (name !== undefined) return name
  const isOwn = template.params[choice.name]?.oneOf !== undefined
  const detail = isOwn ? 'leads to no storage' : mustBeOneOf([...choice.map.keys()])
  throw new VendError('invalid_request', { errors: [{ pointer: `/params/${pointerStep(choice.name)}`, detail }] })
}

/** A refusal is no place for thousands of characters. */
const MOST_TOLD = 20

const mustBeOneOf = (values: readonly string[]) =>
  values.length > MOST_TOLD
    ? 'must be one of the values that GET /v1/policies lists'
    : `must be one of ${values.join(', ')}`

/** Only a text or a whole number is one value: a list with an accepted value in it would be one of several. */
function lookUp(map: ReadonlyMap<string, string>, value: unknown): string | undefined {
  const text = Number.isSafeInteger(value) ? String(value) : value
  return typeof text === 'string' ? map.get(text) : undefined
}

export const isTargets = <S extends object>(settings: S | Targets<S>): settings is Targets<S> => settings instanceof Map
