import type { Rule } from './rule.ts'

/** No listing of objects shows the parts of an unfinished upload, and they cost money. */
export const noAbort: Rule = {
  id: 'no-abort',
  severity: 'warning',
  remedy: 'add oss:AbortMultipartUpload beside oss:PutObject',
  *check({ template: { statements } }) {
    for (const [index, { actions }] of statements.entries()) {
      const at = actions.indexOf('oss:PutObject')
      if (at >= 0 && !statements.some(({ actions }) => actions.includes('oss:AbortMultipartUpload'))) {
        yield {
          path: ['policy', 'Statement', index, 'Action', at],
          message: 'callers can start a multipart upload but not abort it: its parts stay and cost money',
        }
      }
    }
  },
}
