import { spansSlashes, writeAtom } from '../../template/shape.ts'
import type { Rule } from './rule.ts'

/** A `*` spans slashes, so `teams/*` + `/${jwt:sub}/*` opens teams/bob/alice/… to alice. */
export const wildcardBeforeClaim: Rule = {
  id: 'wildcard-before-claim',
  severity: 'error',
  remedy: 'put the claim before it, as in teams/${jwt:sub}/*',
  *check({ resources }) {
    for (const { path, key } of resources) {
      const segments = key.findIndex((segment) => segment.some(spansSlashes))
      const claim = key
        .slice(segments + 1)
        .flat()
        .find(({ kind }) => kind === 'jwt' || kind === 'issuer')
      const spanning = key[segments]?.find(spansSlashes)
      if (!claim || !spanning) continue
      yield {
        path,
        message: `${writeAtom(spanning)} spans slashes before ${writeAtom(claim)}: it also opens a folder of the caller's name inside somebody else's`,
      }
    }
  },
}
