import { isVariable, type Segment, textOf } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** The resource is outside the region, the account and the bucket that this service vends for. */
export const foreignResource: Rule = {
  id: 'foreign-resource',
  severity: 'error',
  remedy: 'write jrn:oss:*:${account}:${bucket}/…',
  *check({ resources, settings }) {
    for (const { path, shape, everything } of resources) {
      if (everything) continue // wildcard-resource
      if (!shape) yield { path, message: 'this is not a JRN, so it matches nothing' }
      else if (textOf(shape.service) !== 'oss')
        yield { path, message: 'this is not an OSS resource, and the service vends for OSS alone' }
      else if (!isAnything(shape.region) && differs(shape.region, settings.region)) {
        yield { path, message: 'this is not in the configured region', remedy: 'write ${region}, or a *' }
      } else if (!isAnything(shape.account) && differs(shape.account, settings.account)) {
        yield { path, message: 'this is not in the configured account', remedy: 'write ${account}' }
      } else if (differs(shape.bucket, settings.bucket)) {
        yield { path, message: 'this is not in the configured bucket', remedy: 'write ${bucket}' }
      }
    }
  },
}

const isAnything = (segment: Segment) => segment.length === 1 && segment[0]?.kind === 'wildcard'

/** Other rules judge segments with a variable or a wildcard. */
const differs = (segment: Segment, wanted: string) =>
  !segment.some(isVariable) && (textOf(segment) ?? wanted) !== wanted
