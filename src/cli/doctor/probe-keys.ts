import { type Policy, policySchema } from '../../policy/language/document.ts'
import { allowedByAll } from '../../policy/language/evaluate.ts'
import { OPERATION_ACTIONS, OSS_ACTIONS, type OssAction, operationResource } from '../../policy/language/operations.ts'
import type { GrantedExample } from './templates.ts'

/** The beginning of the name of every object that the doctor writes. */
export const PROBE = '.oss-vend-doctor-'

type Place = Readonly<{ region: string; account: string; bucket: string }>

/** What to try for one example. */
export type ProbeKeys = Readonly<{
  /** Actions on objects, each with a key that the example's grant opens and nobody uses. */
  keys: ReadonlyMap<OssAction, string>
  /** Actions on the bucket. */
  onBucket: ReadonlySet<OssAction>
  /** Actions for which no such key was found: the grant opens single objects, which may be somebody's. */
  withoutKey: readonly OssAction[]
  /** A key beside a folder of the grant, which the grant does not open; undefined if it opens the whole bucket. */
  neighbour: string | undefined
}>

/**
 * Keys for the operations that an example can do: in the same folders, under the name of the doctor. A key of the example
 * itself is never used, because an object may be there.
 */
export function probeKeys({ example, grant }: GrantedExample, place: Place, id: string): ProbeKeys {
  const policy = policySchema.parse(JSON.parse(grant.policy))
  const keys = new Map<OssAction, string>()
  const onBucket = new Set<OssAction>()
  const wanted = new Set<OssAction>()
  for (const { operation, key } of example.can) {
    const action = OPERATION_ACTIONS[operation]
    if (OSS_ACTIONS[action] !== 'object' || key === undefined) {
      onBucket.add(action)
      continue
    }
    wanted.add(action)
    const found = namesBeside(key, id).find((name) => opens(policy, action, name, place))
    if (found !== undefined && !keys.has(action)) keys.set(action, found)
  }
  const shut = (key: string) => !(['oss:PutObject', 'oss:GetObject'] as const).some((a) => opens(policy, a, key, place))
  const neighbours = grant.prefixes.filter((prefix) => prefix !== '').map((prefix) => besideFolder(prefix, id))
  return {
    keys,
    onBucket,
    withoutKey: [...wanted].filter((action) => !keys.has(action)),
    neighbour: neighbours.find(shut),
  }
}

/** `users/alice/a/1.jpg` → `users/alice/a/.oss-vend-doctor-<id>`, or with its ending, where the grant is for one. */
function namesBeside(key: string, id: string): string[] {
  const [, folder = '', ending = ''] = /^(.*\/)?[^/]*?(\.[^./]*)?$/su.exec(key) ?? []
  return [`${folder}${PROBE}${id}`, `${folder}${PROBE}${id}${ending}`]
}

/** `users/alice/` → `users/alice.oss-vend-doctor-<id>/neighbour`: of a person whose name only begins the same. */
const besideFolder = (prefix: string, id: string) => `${prefix.replace(/\/$/u, '')}${PROBE}${id}/neighbour`

function opens(policy: Policy, action: OssAction, key: string, { region, account, bucket }: Place): boolean {
  const operation = action === 'oss:GetObject' ? 'GetObject' : 'PutObject'
  const resource = operationResource(operation, { region, account, bucket, key })
  return allowedByAll([policy], { action, resource })
}
