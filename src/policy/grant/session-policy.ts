import { VendError } from '../../errors.ts'
import { MAX_SESSION_POLICY_BYTES, parseJrn, type Statement } from '../language/document.ts'
import type { Grant } from './grant.ts'

/**
 * The session policy of these statements, and what an answer says about it.
 * @throws {VendError} `policy_too_large`
 */
export function sessionPolicy(
  Statement: readonly Statement[],
): Pick<Grant, 'policy' | 'actions' | 'resources' | 'prefixes'> {
  const policy = JSON.stringify({ Version: '3', Statement })
  if (Buffer.byteLength(policy) > MAX_SESSION_POLICY_BYTES) {
    throw new VendError('policy_too_large', { detail: `it would be over ${MAX_SESSION_POLICY_BYTES} bytes` })
  }
  const resources = [...new Set(Statement.flatMap(({ Resource }) => Resource))]
  return {
    policy,
    actions: [...new Set(Statement.flatMap(({ Action }) => Action))],
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
