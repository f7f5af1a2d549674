import type { Rule } from './rule.ts'

/** `*` where a bucket should be named. */
export const wildcardResource: Rule = {
  id: 'wildcard-resource',
  severity: 'error',
  remedy: 'name the bucket and a folder in it: jrn:oss:*:${account}:${bucket}/users/${jwt:sub}/*',
  *check({ resources }) {
    for (const { path, shape, everything } of resources) {
      if (everything) yield { path, message: '* opens everything that the role may touch, in every bucket' }
      if (shape?.bucket.some(({ kind }) => kind === 'wildcard')) {
        yield { path, message: 'a * in the bucket opens every bucket whose name fits, now and later' }
      }
    }
  },
}
