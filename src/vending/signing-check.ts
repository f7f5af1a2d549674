import { type BodyFault, type ErrorCode, VendError } from '../errors.ts'
import { keyFault } from '../oss/object-key.ts'
import { FILE_NAME } from '../oss/presigned-post.ts'
import type { GrantSettings } from '../policy/grant/grant.ts'
import type { Policy } from '../policy/language/document.ts'
import { evaluate } from '../policy/language/evaluate.ts'
import { OPERATION_ACTIONS, type Operation, operationResource } from '../policy/language/operations.ts'
import { allowsPrefix } from '../policy/language/prefix.ts'

/** A key, or the beginning of keys, of a request; and its place there, an RFC 6901 JSON pointer. */
export type AskedKey = Readonly<{ key: string; pointer: string; prefix?: true }>

/** The most faults that an answer names. */
const MAX_FAULTS = 16

/** @throws {VendError} `invalid_request` if a store, or a client on the way there, would read a key in another way */
export function checkKeys(keys: readonly AskedKey[], inForm = false): void {
  refuse('invalid_request', keys, ({ key }) => {
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
  keys: readonly AskedKey[],
  operations: readonly Operation[],
  settings: GrantSettings,
): void {
  refuse('key_not_allowed', keys, ({ key, prefix }) => {
    const refused = operations.find((operation) => {
      const action = OPERATION_ACTIONS[operation]
      const resource = operationResource(operation, { ...settings, key })
      return !(prefix ? allowsPrefix(policy, action, resource) : evaluate(policy, { action, resource }).allowed)
    })
    return refused && `${refused} is not allowed on ${prefix ? 'every key with this prefix' : 'this key'}`
  })
}

function refuse(code: ErrorCode, keys: readonly AskedKey[], fault: (asked: AskedKey) => string | undefined): void {
  const errors: BodyFault[] = []
  for (const asked of keys) {
    const detail = fault(asked)
    if (detail !== undefined && errors.push({ pointer: asked.pointer, detail }) === MAX_FAULTS) break
  }
  if (errors.length > 0) throw new VendError(code, { errors })
}
