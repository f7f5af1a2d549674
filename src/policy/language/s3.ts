import { VendError } from '../../errors.ts'
import { MAX_SESSION_POLICY_BYTES, type Policy, parseJrn, policySchema } from './document.ts'
import { OSS_ACTIONS } from './operations.ts'

/** What a policy is translated for: its JRNs may name no other region or account. */
export type S3Place = Readonly<{ region: string; account: string; partition?: string }>

/** S3's limit for a key. A longer resource opens nothing, and Ceph 16 crashes on one of 1,600 characters. */
const MAX_KEY_BYTES = 1024

/**
 * The ARN of a JRN of OSS, with the same wildcards; undefined if there is none that opens exactly the same.
 *
 * An ARN of S3 names neither region nor account, so that a JRN of elsewhere, which opens nothing here, would become one that
 * opens something. AWS reads `?` as any character and `${…}` as a variable, where JD Cloud reads plain text. AWS could
 * escape both (`${?}`), but Ceph and MinIO do not know the escape.
 */
export function s3Resource(jrn: string, { region, account, partition = 'aws' }: S3Place): string | undefined {
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

/** Policy and STS do not know each other: this brings the one the language of the other. */
export const s3Translator =
  ({ region, account, partition }: Required<S3Place>) =>
  (text: string): string =>
    s3Policy(text, { region, account, partition })

/**
 * The session policy in the language of AWS, for JSON text in JD Cloud's. It allows what that allows, and no more.
 * @throws {VendError} `policy_too_large`
 * @throws {Error} for a policy that no template can bring which the linter lets through
 */
export function s3Policy(text: string, place: S3Place): string {
  const { Statement }: Policy = policySchema.parse(JSON.parse(text))
  const translated = JSON.stringify({
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
