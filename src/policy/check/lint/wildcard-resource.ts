import type { Rule } from './rule.ts'

/** `*` where a bucket should be named. */
export const wildcardResource: Rule = {
  id: 'wildcard-resource',
  severity: 'error',
  remedy: 'name the bucket and a folder in it: jrn:oss:*:${account}:${bucket}/users/${jwt:sub}/*',
  *check({ resources }) {
    for (const { path, shape, everything } of resources) {
      if (everything) yield { path, message: 'it is everything that the role may touch, in every bucket' }
      for (const place of ['account', 'bucket'] as const) {
        const segment = shape?.[place] ?? []
        const whole = place === 'account' && segment.length === 1
        if (!whole && segment.some(({ kind }) => kind === 'wildcard')) {
          yield {
            path,
            message: `a * in the ${place} opens every ${place} whose name fits, those that are made later too`,
          }
        }
      }
    }
  },
}
