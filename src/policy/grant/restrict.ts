import { type BodyFault, VendError } from '../../errors.ts'
import { type Policy, parseJrn, policySchema, type Statement } from '../language/document.ts'
import { narrowToPrefix } from '../language/narrow.ts'
import { OSS_ACTIONS } from '../language/operations.ts'
import { allowsPrefix } from '../language/prefix.ts'
import { isSafePrefix, PREFIX_RULE } from '../language/value.ts'
import { matchesWildcard, takesWhole } from '../language/wildcard.ts'
import type { Grant, GrantSettings } from './grant.ts'
import { sessionPolicy } from './session-policy.ts'

/** The part of a grant that its caller asks for, to hand it on. Unchecked. */
export type Restriction = Readonly<{
  /** Names of OSS actions, without wildcards. */
  actions?: readonly string[] | undefined
  /** The beginning of object keys. */
  prefix?: string | undefined
  /** The bucket that the caller believes `prefix` to be in, where its dialect names one. */
  bucket?: string | undefined
}>

/** Where in a request the restriction is: an RFC 6901 JSON pointer. */
export const RESTRICTION = '/restrictTo'

type Place = Pick<GrantSettings, 'account' | 'bucket' | 'region'>

/**
 * The grant cut down to exactly what it and the restriction have in common. A `Deny` stays.
 *
 * A restriction that is wider than the grant is refused, because its caller would believe to have handed on what the
 * session does not open. With actions and a prefix, the grant must allow each of the actions on every key with the prefix;
 * with a prefix alone, one action at least. Other actions stay as far as they reach into the prefix.
 * @throws {VendError} `invalid_request`, or `policy_too_large`
 */
export function restrict(grant: Grant, restriction: Restriction | undefined, place: Place): Grant {
  if (restriction === undefined) return grant
  const policy = policySchema.parse(JSON.parse(grant.policy))
  const faults = faultsOf(policy, restriction, place)
  if (faults.length > 0) throw new VendError('invalid_request', { errors: faults })
  return { ...grant, ...sessionPolicy(policy.Statement.flatMap((one) => narrowStatement(one, restriction, place))) }
}

function faultsOf(policy: Policy, { actions, prefix, bucket }: Restriction, place: Place): BodyFault[] {
  if (actions === undefined && prefix === undefined) {
    return [{ pointer: RESTRICTION, detail: 'must have actions, a prefix, or both' }]
  }
  // No actions must not be read as no restriction of the actions.
  if (actions?.length === 0) return [{ pointer: `${RESTRICTION}/actions`, detail: 'must not be empty' }]
  if (bucket !== undefined && bucket !== place.bucket) {
    return [{ pointer: `${RESTRICTION}/prefix`, detail: 'is in another bucket' }]
  }
  const faults = (actions ?? []).flatMap((action, index) => {
    const detail = actionFault(policy, action, prefix)
    return detail === undefined ? [] : [{ pointer: `${RESTRICTION}/actions/${index}`, detail }]
  })
  if (faults.length > 0 || prefix === undefined) return faults
  const detail = isSafePrefix(prefix) ? prefixFault(policy, actions, prefix, place) : PREFIX_RULE
  return detail === undefined ? [] : [{ pointer: `${RESTRICTION}/prefix`, detail }]
}

function actionFault(policy: Policy, action: string, prefix: string | undefined): string | undefined {
  const level = levelOf(action)
  const granted = policy.Statement.some(({ Effect, Action }) => Effect === 'Allow' && takes(Action, action))
  if (!action.startsWith('oss:')) return 'must be the full name of an action, such as oss:PutObject'
  if (level === undefined || !granted) return 'is not an action of this policy'
  return prefix !== undefined && level !== 'object'
    ? 'is for a whole bucket: OSS cannot limit it to a prefix'
    : undefined
}

function prefixFault(
  policy: Policy,
  actions: readonly string[] | undefined,
  prefix: string,
  { region, account, bucket }: Place,
): string | undefined {
  const start = `jrn:oss:${region}:${account}:${bucket}/${prefix}`
  const reaches = (action: string) => allowsPrefix(policy, action, start)
  if (!actions) return OBJECT_ACTIONS.some(reaches) ? undefined : TOO_WIDE
  const short = actions.find((action) => !reaches(action))
  return short && `${TOO_WIDE}: it does not allow ${short} on every key with this prefix`
}

const TOO_WIDE = 'is not within what this policy opens to you'

function narrowStatement(statement: Statement, { actions, prefix }: Restriction, place: Place): Statement[] {
  const asked = actions ? [...new Set(actions)].filter((one) => takes(statement.Action, one)) : statement.Action
  if (prefix === undefined) return asked.length > 0 ? [{ ...statement, Action: asked }] : []
  // An action of the bucket would be left without effect, and yet be shown as given.
  const Action = asked.filter((action) => (levelOf(action) ?? 'object') === 'object')
  const Resource = [...new Set(statement.Resource.flatMap((one) => narrowResource(one, prefix, place)))]
  return Action.length > 0 && Resource.length > 0 ? [{ ...statement, Action, Resource }] : []
}

/** As {@link narrowToPrefix}; nothing for a resource of elsewhere, where the prefix is not. */
function narrowResource(resource: string, prefix: string, { region, account, bucket }: Place): string[] {
  const jrn = parseJrn(resource === '*' ? `jrn:oss:*:${account}:*` : resource)
  if (jrn?.service !== 'oss' || !takesWhole(jrn.region, region) || !takesWhole(jrn.account, account)) return []
  const keys = narrowToPrefix(jrn.resource, `${bucket}/${prefix}`)
  return keys.map((one) => `jrn:oss:${jrn.region}:${jrn.account}:${one}`)
}

const takes = (patterns: readonly string[], action: string) =>
  patterns.some((pattern) => matchesWildcard(pattern, action))

const LEVELS: ReadonlyMap<string, 'object' | 'bucket' | 'service'> = new Map(Object.entries(OSS_ACTIONS))
/** The level of a known action; undefined for a pattern and for anything else. */
const levelOf = (action: string) => LEVELS.get(action)
const OBJECT_ACTIONS = [...LEVELS.keys()].filter((action) => levelOf(action) === 'object')
