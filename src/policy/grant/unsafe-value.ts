import { VendError } from '../../errors.ts'
import { VALUE_RULE } from '../language/value.ts'

/**
 * Refuses a value that must not enter a policy. Neither the caller nor the log is told the value.
 * @throws {VendError} `unsafe_value`
 */
export function refuseValue(
  what: string,
  value: unknown,
  rule = VALUE_RULE,
  log?: Readonly<{ remedy: string }>,
): never {
  const must = typeof value === 'object' || typeof value === 'boolean' ? 'a text or a whole number' : rule
  throw new VendError('unsafe_value', { detail: `${what} must be ${must}`, ...(log && { log }) })
}
