import type { Rule } from './rule.ts'

/** Parts of an upload that was given up are nobody's to see, and somebody's to pay for. */
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
          message: 'who may upload cannot give up a multipart upload, whose parts then stay and cost',
        }
      }
    }
  },
}
