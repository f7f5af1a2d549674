import { writeSegments } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

const WRITES = ['oss:PutObject', 'oss:DeleteObject', 'oss:AbortMultipartUpload']

/** `users/*` with `oss:PutObject`: each caller can overwrite the others' objects. */
export const sharedWrite: Rule = {
  id: 'shared-write',
  severity: 'error',
  remedy: 'put ${jwt:sub}/ into the key, or allow oss:GetObject alone',
  *check({ resources }) {
    for (const { path, key, statement } of resources) {
      const writes = statement.actions.filter((action) => WRITES.includes(action))
      // A resource without a key has no objects, and param-without-owner judges parameters.
      if (key.length === 0 || writes.length === 0) continue
      if (key.flat().some(({ kind }) => kind === 'jwt' || kind === 'param')) continue
      yield {
        path,
        message: `every caller has ${writes.join(', ')} on ${writeSegments(key)}, so each can destroy the others' objects`,
      }
    }
  },
}
