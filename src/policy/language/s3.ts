import { VendError } from '../../errors.ts'
import { MAX_SESSION_POLICY_BYTES, type Policy, parseJrn, policySchema } from './document.ts'
import { OSS_ACTIONS } from './operations.ts'

/** What a policy is translated for: its JRNs may name no other region or account. */
export type S3Place = Readonly<{ region: string; account: string; partition: string }>

/** S3 has no longer keys, so a longer resource opens nothing. Ceph 16 crashes when a resource has 1,600 characters. */
const MAX_KEY_BYTES = 1024

/**
 * The ARN that opens the same as a JRN of OSS; undefined if there is none.
 *
 * An ARN of S3 has no region and no account. Without the check of both, a JRN of another region, which opens nothing here,
 * would become an ARN that opens a bucket here. AWS reads `?` as any character and `${…}` as a variable, where JD Cloud
 * reads plain text. AWS has an escape (`${?}`), which Ceph and MinIO do not know.
 */
export function s3Resource(jrn: string, { region, account, partition }: S3Place): string | undefined {
  const parts = parseJrn(jrn)
  if (parts?.service !== 'oss' || /\?|\$\{/u.test(parts.resource)) return undefined
  const here = isAnyOr(region, parts.region) && isAnyOr(account, parts.account)
  return here ? `arn:${partition}:s3:::${parts.resource}` : undefined
}

const isAnyOr = (name: string, written: string) => written === '*' || written === name

/** The action of S3 for an action of OSS: the same name, and the same operations. Undefined for any other. */
export const s3Action = (action: string): string | undefined =>
  Object.hasOwn(OSS_ACTIONS, action) ? action.replace(/^oss:/u, 's3:') : undefined

/** The action of OSS for an action of S3: the reverse of {@link s3Action}. */
export function ossAction(action: string): string | undefined {
  const same = action.replace(/^s3:/u, 'oss:')
  return same !== action && Object.hasOwn(OSS_ACTIONS, same) ? same : undefined
}

/**
 * Translates session policies from JD Cloud's language into that of AWS, both as JSON text. The translation allows the
 * same, and throws `policy_too_large` when it breaks a limit of S3. Any other error means that the linter let through a
 * template that has no translation.
 */
export const s3Translator =
  (place: S3Place) =>
  (text: string): string =>
    translate(text, place)

function translate(text: string, place: S3Place): string {
  const { Statement }: Policy = policySchema.parse(JSON.parse(text))
  const json = JSON.stringify({
    Version: '2012-10-17',
    // Without Sid, which may have only letters and digits on AWS.
    Statement: Statement.map(({ Effect, Action, Resource, Condition }) => {
      // OSS ignores conditions. One that S3 honours could make a Deny narrower.
      if (Condition) throw new Error('a condition has no translation')
      return {
        Effect,
        Action: Action.map((one) => s3Action(one) ?? impossible('an action')),
        Resource: Resource.map((one) => checkKey(s3Resource(one, place) ?? impossible('a resource'))),
      }
    }),
  })
  // STS of AWS takes no character above U+00FF, and its refusal would look like a fault of the operator. Escapes are longer:
  // what does not fit with them is for stores that take any character.
  const escaped = json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const translated = escaped.length <= MAX_SESSION_POLICY_BYTES ? escaped : json
  if (Buffer.byteLength(translated) > MAX_SESSION_POLICY_BYTES) {
    throw new VendError('policy_too_large', { detail: `it would be over ${MAX_SESSION_POLICY_BYTES} bytes` })
  }
  return translated
}

function checkKey(arn: string): string {
  const slash = arn.indexOf('/')
  if (slash < 0 || Buffer.byteLength(arn.slice(slash + 1)) <= MAX_KEY_BYTES) return arn
  throw new VendError('policy_too_large', { detail: `keys have at most ${MAX_KEY_BYTES} bytes` })
}

// Neither is quoted: they may have values of a caller's token.
function impossible(what: string): never {
  throw new Error(`${what} has no translation`)
}
