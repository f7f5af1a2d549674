import { z } from 'zod'
import { OssError } from './errors.ts'

/** One condition of a form. Names are in lower case, without the dollar sign. */
type Condition = Readonly<
  | { kind: 'eq' | 'starts-with'; name: string; value: string }
  | { kind: 'content-length-range'; min: number; max: number }
>

/** The values that a POST policy checks: the fields by lower-case name, with `key` as it will be stored. */
export type PostedForm = Readonly<{ fields: ReadonlyMap<string, string>; bucket: string; key: string; size: number }>

const size = z.union([z.int().min(0), z.string().regex(/^\d{1,15}$/u)]).transform(Number)

const condition = z.union([
  z
    .tuple([z.enum(['eq', 'starts-with']), z.string().startsWith('$'), z.string()])
    .transform(([kind, name, value]) => [{ kind, name: name.slice(1).toLowerCase(), value }]),
  z.tuple([z.literal('content-length-range'), size, size]).transform(([kind, min, max]) => [{ kind, min, max }]),
  z
    .record(z.string(), z.string())
    .transform((pairs) =>
      Object.entries(pairs).map(([name, value]) => ({ kind: 'eq' as const, name: name.toLowerCase(), value })),
    ),
])

const policyDocument = z.object({
  expiration: z.iso.datetime().transform((text) => Date.parse(text)),
  conditions: z.array(condition).transform((lists): readonly Condition[] => lists.flat()),
})

/** Fields that need no condition: those of the signature, and those that S3 ignores. */
const UNCONDITIONAL = /^(?:policy|file|awsaccesskeyid|signature|x-amz-signature|x-ignore-.*)$/u

/**
 * Checks a form against its signed policy.
 *
 * @throws OssError InvalidPolicyDocument, AccessDenied, EntityTooSmall, EntityTooLarge
 */
export function checkPostPolicy(base64: string, form: PostedForm, now: number): void {
  const { expiration, conditions } = parsePolicy(base64)
  const invalid = (why: string) => new OssError('AccessDenied', `Invalid according to Policy: ${why}`)
  if (now >= expiration) throw invalid('Policy expired.')
  const covered = new Set<string>()
  for (const each of conditions) {
    if (each.kind === 'content-length-range') {
      if (form.size < each.min) throw new OssError('EntityTooSmall')
      if (form.size > each.max) throw new OssError('EntityTooLarge')
    } else {
      covered.add(each.name)
      if (!holds(each, form)) throw invalid(`Policy Condition failed: ["${each.kind}", "$${each.name}"]`)
    }
  }
  for (const name of form.fields.keys()) {
    if (!covered.has(name) && !UNCONDITIONAL.test(name)) throw invalid(`Extra input fields: ${name}`)
  }
}

function holds(
  { kind, name, value }: Exclude<Condition, { min: number }>,
  { fields, bucket, key }: PostedForm,
): boolean {
  const actual = name === 'key' ? key : name === 'bucket' ? bucket : (fields.get(name) ?? '')
  if (kind === 'eq') return actual === value
  // If the field is a list of content types, the condition must hold for each.
  const values = name === 'content-type' ? actual.split(',').map((item) => item.trim()) : [actual]
  return values.every((item) => item.startsWith(value))
}

function parsePolicy(base64: string): z.output<typeof policyDocument> {
  try {
    return policyDocument.parse(JSON.parse(Buffer.from(base64, 'base64').toString()))
  } catch {
    throw new OssError('InvalidPolicyDocument', 'Invalid Policy: Invalid JSON.')
  }
}
