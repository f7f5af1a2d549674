import { dangerOf } from '../../claims/pattern.ts'
import { conditionsWithPath } from './conditions.ts'
import type { Path, Rule } from './rule.ts'

/** One request whose text makes a pattern run for exponential time stops the service for everybody. */
export const patternBacktracks: Rule = {
  id: 'pattern-backtracks',
  severity: 'error',
  remedy: 'do not nest repetitions: write [a-z0-9]+(-[a-z0-9]+)*, not ([a-z0-9]+-?)+',
  *check({ template }) {
    const patterns: { path: Path; pattern: RegExp | undefined }[] = [
      ...Object.entries(template.params).map(([name, { pattern }]) => ({ path: ['params', name, 'pattern'], pattern })),
      ...conditionsWithPath(template).map(({ at, tests }) => ({ path: [...at, 'matches'], pattern: tests.matches })),
    ]
    // The first is enough: the analysis can take a tenth of a second, during which a reloading service answers nobody.
    for (const { path, pattern } of patterns) {
      const danger = pattern && dangerOf(pattern)
      if (danger !== undefined) return yield { path, message: danger }
    }
  },
}
