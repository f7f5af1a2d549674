import { dangerOf } from '../../claims/pattern.ts'
import { conditionsWithPath } from './conditions.ts'
import type { Path, Rule } from './rule.ts'

/** A pattern that takes exponential time over a text that somebody sends stops the service for everybody. */
export const patternBacktracks: Rule = {
  id: 'pattern-backtracks',
  severity: 'error',
  remedy: 'do not repeat what repeats: [a-z0-9]+(-[a-z0-9]+)* instead of ([a-z0-9]+-?)+',
  *check({ template }) {
    const patterns: { path: Path; pattern: RegExp | undefined }[] = [
      ...Object.entries(template.params).map(([name, { pattern }]) => ({ path: ['params', name, 'pattern'], pattern })),
      ...conditionsWithPath(template).map(({ at, tests }) => ({ path: [...at, 'matches'], pattern: tests.matches })),
    ]
    // The first is enough: to find one out can take a tenth of a second, in which a service that reloads answers nobody.
    for (const { path, pattern } of patterns) {
      const danger = pattern && dangerOf(pattern)
      if (danger !== undefined) return yield { path, message: danger }
    }
  },
}
