import { isVariable, type Segment, textOf } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** A resource that is not in the account and the bucket that this service vends for. */
export const foreignResource: Rule = {
  id: 'foreign-resource',
  severity: 'error',
  remedy: 'write jrn:oss:*:${account}:${bucket}/…',
  *check({ resources, settings }) {
    for (const { path, shape, everything } of resources) {
      if (everything) continue // another rule's
      if (!shape) yield { path, message: 'it is not a JRN, and OSS finds nothing by it' }
      else if (textOf(shape.service) !== 'oss')
        yield { path, message: 'it is not of OSS, and this service vends for nothing else' }
      else if (!isAnything(shape.account) && differs(shape.account, settings.account)) {
        yield { path, message: 'it is not in the configured account', remedy: 'write ${account}' }
      } else if (differs(shape.bucket, settings.bucket)) {
        yield { path, message: 'it is not in the configured bucket', remedy: 'write ${bucket}' }
      }
    }
  },
}

const isAnything = (segment: Segment) => segment.length === 1 && segment[0]?.kind === 'wildcard'

/** What has a variable or a wildcard in it is for other rules. */
const differs = (segment: Segment, wanted: string) =>
  !segment.some(isVariable) && (textOf(segment) ?? wanted) !== wanted
