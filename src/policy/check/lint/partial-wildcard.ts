import type { Rule } from './rule.ts'

/** `jrn:oss:cn-*:…`: JD Cloud documents a `*` for the whole region or account, and nothing for a part of one. */
export const partialWildcard: Rule = {
  id: 'partial-wildcard',
  severity: 'error',
  remedy: 'write the name in full, ${region} or ${account}, or a * alone',
  *check({ resources }) {
    for (const { path, shape } of resources) {
      for (const place of ['region', 'account'] as const) {
        const segment = shape?.[place] ?? []
        if (segment.length < 2 || segment.every(({ kind }) => kind !== 'wildcard')) continue
        yield { path, message: `a * stands for the whole ${place} or for nothing: JD Cloud documents no other reading` }
      }
    }
  },
}
