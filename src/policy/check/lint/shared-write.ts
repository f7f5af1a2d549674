import { writeSegments } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

const WRITES = ['oss:PutObject', 'oss:DeleteObject', 'oss:AbortMultipartUpload']

/** `users/*` with `oss:PutObject`: each caller overwrites and deletes what the others put there. */
export const sharedWrite: Rule = {
  id: 'shared-write',
  severity: 'error',
  remedy: 'put ${jwt:sub}/ into it, or allow oss:GetObject alone',
  *check({ resources }) {
    for (const { path, key, statement } of resources) {
      const writes = statement.actions.filter((action) => WRITES.includes(action))
      // A bucket has no objects of its own, and a parameter that keeps nobody out is another rule's.
      if (key.length === 0 || writes.length === 0) continue
      if (key.flat().some(({ kind }) => kind === 'jwt' || kind === 'param')) continue
      yield {
        path,
        message: `everybody who may use this template has ${writes.join(', ')} on ${writeSegments(key)}, so each can destroy what the others put there`,
      }
    }
  },
}
