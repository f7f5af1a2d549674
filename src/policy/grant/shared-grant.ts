import { matchesWildcard } from '../language/wildcard.ts'
import type { Template } from '../template/template.ts'
import type { Part } from '../template/variables.ts'
import type { Grant, GrantSettings } from './grant.ts'
import { sessionPolicy } from './session-policy.ts'

/**
 * The actions of URLs and forms. No session has both: some stores follow an unsigned `x-amz-copy-source` header, and a
 * URL for an upload would then copy any object that its session can read.
 */
const ACTIONS = {
  reads: ['oss:GetObject'],
  writes: ['oss:PutObject', 'oss:DeleteObject', 'oss:AbortMultipartUpload'],
} as const

const LEAST_SECONDS = 3600

/** The direction of a shared session. */
export type Access = keyof typeof ACTIONS

/**
 * The grant of the session that signs for all callers of a template: the union of what the template can give. Each
 * variable becomes a `*`. `Deny` is left out, because OSS ignores it; the caller's own grant is evaluated with it.
 *
 * No caller's session can have this name: each of those has an `@`. It is as long as the caller's own, and an hour where
 * that is shorter: a short session could not be kept for the next caller.
 * @throws {VendError} `policy_too_large`
 */
export function sharedGrant(
  template: Template,
  access: Access,
  settings: GrantSettings,
  own: Pick<Grant, 'durationSeconds'>,
): Grant {
  const Statement = template.statements
    .filter(({ effect }) => effect === 'Allow')
    .map(({ effect, actions, resources }) => ({
      Effect: effect,
      Action: ACTIONS[access].filter((action) => actions.some((pattern) => matchesWildcard(pattern, action))),
      Resource: [...new Set(resources.map((parts) => parts.map((part) => widest(part, settings)).join('')))],
    }))
    .filter(({ Action }) => Action.length > 0)
  return {
    template: template.name,
    target: settings.target,
    roleSessionName: `${template.name}.signed-${access}`,
    ...sessionPolicy(Statement),
    durationSeconds: Math.min(Math.max(own.durationSeconds, LEAST_SECONDS), settings.maxSessionSeconds),
  }
}

function widest(part: Part, settings: GrantSettings): string {
  switch (part.kind) {
    case 'literal':
      return part.text
    case 'account':
    case 'bucket':
    case 'region':
      return settings[part.kind]
    default:
      return '*'
  }
}
