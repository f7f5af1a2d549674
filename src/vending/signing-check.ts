import { type BodyFault, type ErrorCode, VendError } from '../errors.ts'
import { keyFault } from '../oss/object-key.ts'
import { FILE_NAME } from '../oss/presigned-post.ts'
import type { GrantSettings } from '../policy/grant/grant.ts'
import type { Policy } from '../policy/language/document.ts'
import { evaluate } from '../policy/language/evaluate.ts'
import { OPERATION_ACTIONS, type Operation, operationResource } from '../policy/language/operations.ts'
import { allowsPrefix } from '../policy/language/prefix.ts'

/** A key, or the beginning of keys, of a request; and its place there, an RFC 6901 JSON pointer. */
export type Target = Readonly<{ key: string; pointer: string; prefix?: true }>

/** The most faults that an answer names. */
const MAX_FAULTS = 16

/** @throws {VendError} `invalid_request` if a store, or a client on the way there, would read a key in another way */
export function checkTargets(targets: readonly Target[], inForm = false): void {
  refuse('invalid_request', targets, ({ key }) => {
    if (inForm && key.includes(VARIABLE)) return `must not have ${VARIABLE}: the store reads ${FILE_NAME} as a variable`
    return keyFault(key)
  })
}

/** Every store knows `${filename}`; no form is signed for what others might know. */
const VARIABLE = '${'

/**
 * Checks the keys against the caller's own grant; a `Deny` counts.
 * @throws {VendError} `key_not_allowed` if one operation on one key is not allowed
 */
export function requireAllowed(
  policy: Policy,
  targets: readonly Target[],
  operations: readonly Operation[],
  settings: GrantSettings,
): void {
  refuse('key_not_allowed', targets, ({ key, prefix }) => {
    const refused = operations.find((operation) => {
      const action = OPERATION_ACTIONS[operation]
      const resource = operationResource(operation, { ...settings, key })
      return !(prefix ? allowsPrefix(policy, action, resource) : evaluate(policy, { action, resource }).allowed)
    })
    return refused && `${refused} is not allowed on ${prefix ? 'every key with this prefix' : 'this key'}`
  })
}

function refuse(code: ErrorCode, targets: readonly Target[], fault: (target: Target) => string | undefined): void {
  const errors: BodyFault[] = []
  for (const target of targets) {
    const detail = fault(target)
    if (detail !== undefined && errors.push({ pointer: target.pointer, detail }) === MAX_FAULTS) break
  }
  if (errors.length > 0) throw new VendError(code, { errors })
}
