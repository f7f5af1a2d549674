import { pointerStep, VendError } from '../../errors.ts'
import { choicesIn } from '../claims/choice.ts'
import { claimAt, quoteClaim } from '../claims/claim.ts'
import { policyValue } from '../language/value.ts'
import type { Template } from '../template/template.ts'
import { refuseValue } from './unsafe-value.ts'

/**
 * The text of each parameter of a template: the caller's, or its default.
 * @throws {VendError} `invalid_request`, `unsafe_value`, or `policy_not_allowed` for a value of `oneOf` that is not the
 * caller's own
 */
export function paramTexts(
  template: Pick<Template, 'params'>,
  given: Readonly<Record<string, string | number>>,
  claims: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, string> {
  const errors = []
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(template.params, name))
      errors.push({ pointer: pointerTo(name), detail: 'is not a parameter of this policy' })
  }
  const texts = new Map<string, string | undefined>()
  for (const [name, { pattern, kind, default: usual }] of Object.entries(template.params)) {
    const value = Object.hasOwn(given, name) ? given[name] : usual
    // An unsafe value never meets the pattern, which could run for long; it is refused below.
    const text = policyValue(value, kind)
    if (value === undefined) errors.push({ pointer: pointerTo(name), detail: 'is required' })
    else if (text !== undefined && pattern && !pattern.test(text)) {
      errors.push({ pointer: pointerTo(name), detail: `does not match ${pattern.source}` })
    }
    texts.set(name, text)
  }
  if (errors.length > 0) throw new VendError('invalid_request', { errors })

  const safe = new Map<string, string>()
  for (const [name, text] of texts) {
    safe.set(name, text ?? refuseValue(`parameter "${name}"`, given[name]))
  }
  for (const [name, { oneOf }] of Object.entries(template.params)) {
    if (!oneOf || choicesIn(claimAt(claims, oneOf.path)).includes(safe.get(name) ?? '')) continue
    throw new VendError('policy_not_allowed', {
      detail: `parameter "${name}" is none of the caller's own values in claim ${quoteClaim(oneOf.claim)}`,
    })
  }
  return safe
}

const pointerTo = (param: string) => `/params/${pointerStep(param)}`
